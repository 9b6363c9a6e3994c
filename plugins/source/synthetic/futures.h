// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "truth.h"
#include "world.h"

namespace momap::synthetic {

/// One possible course of events.
struct Course {
  std::vector<Choice> choices;  // by mover
  std::vector<Motion> motions;  // by mover
};

/// Course `index` of a world; it depends on nothing but the seed and the index.
Course draw_course(const World& world, const Clock& clock, uint64_t seed, int64_t index);

/// What happens, in words and in a form that can be scored.
struct Story {
  std::string caption;
  std::vector<Action> actions;
};

/// Tells courses from what frame 0 shows of the movers.
class Teller {
 public:
  Teller(const World& world, const Truth& truth, const View& view, const Clock& clock)
      : world_(&world), truth_(&truth), view_(&view), clock_(clock) {}

  Story tell(const Course& course, uint64_t seed, int64_t index);

 private:
  struct Peak {
    double metres = 0;  // of the segment's mean displacement, over frames
    Vec3 mean;          // displacement then, reference camera frame
  };

  Peak peak_of(int mover, const Motion& motion, size_t limit) const;
  const std::array<double, 4>& bounds_of(int mover, int option);
  std::string name_of(int mover, Random& random) const;

  const World* world_;
  const Truth* truth_;
  const View* view_;
  Clock clock_;
  std::map<std::pair<int, int>, std::array<double, 4>> bounds_;  // by mover and option
};

}  // namespace momap::synthetic
