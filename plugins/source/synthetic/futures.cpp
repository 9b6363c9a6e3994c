// SPDX-License-Identifier: Apache-2.0
#include "futures.h"

#include <momap/base/random.h>

#include <algorithm>
#include <cmath>

namespace momap::synthetic {
namespace {

using Words = std::vector<std::string>;

const std::string& pick(const Words& words, Random& random) {
  return words[static_cast<size_t>(random.below(static_cast<int64_t>(words.size())))];
}

// Two streams of random numbers a course: what happens, and how it is told.
Random stream_of(uint64_t seed, int64_t index, bool telling) {
  return Random(seed, 16 + 2 * static_cast<uint64_t>(index) + (telling ? 1 : 0));
}

Motion resting(const World& world, const Mover& mover, const Clock& clock) {
  Motion motion;
  for (int64_t t = 0; t < clock.frames; ++t) {
    for (const int index : mover.parts) {
      const Part& part = world.parts[static_cast<size_t>(index)];
      motion.poses.push_back(part.rest);
      if (!part.cloth) continue;
      for (const auto& vertex : part.mesh.vertices) {
        motion.cloth.push_back(part.rest.apply(vertex.point));
      }
    }
  }
  return motion;
}

constexpr std::array<const char*, 3> kSpeeds{"slow", "medium", "fast"};

std::string speed_words(size_t band, Random& random) {
  static const std::array<Words, 3> kWords{
      Words{"slowly", "gently", "at a slow pace", "without haste"},
      Words{"steadily", "at an even pace", "at a moderate pace", "at medium speed"},
      Words{"quickly", "fast", "rapidly", "at high speed"}};
  return pick(kWords[band], random);
}

std::string direction_words(const std::string& direction, Random& random) {
  static const std::map<std::string, Words> kWords{
      {"left", {"to the left", "toward the left", "leftward"}},
      {"right", {"to the right", "toward the right", "rightward"}},
      {"up", {"upward", "up"}},
      {"down", {"downward", "down"}},
      {"toward", {"toward the camera", "toward the viewer", "to the front"}},
      {"away", {"away from the camera", "away from the viewer", "to the back"}},
      {"clockwise", {"clockwise"}},
      {"counterclockwise", {"counterclockwise", "anticlockwise"}}};
  return pick(kWords.at(direction), random);
}

// The axis along which a displacement mainly goes, or "" when two are alike.
std::string main_direction(const Vec3& d) {
  struct Way {
    double amount;
    const char* forward;
    const char* backward;
  };
  std::array<Way, 3> ways{{{d.x, "right", "left"}, {d.y, "down", "up"}, {d.z, "away", "toward"}}};
  std::ranges::sort(
      ways, [](const Way& a, const Way& b) { return std::abs(a.amount) > std::abs(b.amount); });
  if (std::abs(ways[0].amount) < 1.25 * std::abs(ways[1].amount)) return "";
  if (std::abs(ways[0].amount) < 1e-6) return "";
  return ways[0].amount > 0 ? ways[0].forward : ways[0].backward;
}

}  // namespace

Course draw_course(const World& world, const Clock& clock, uint64_t seed, int64_t index) {
  Random random = stream_of(seed, index, false);
  Course course;
  bool any = false;
  for (const auto& mover : world.movers) {
    Choice choice;
    const double rests = random.uniform(), waits = random.uniform(), delay = random.uniform();
    choice.speed = 3 * random.uniform();
    choice.option = static_cast<int>(random.below(mover->options));
    choice.moves = !mover->may_rest || rests > 0.3;
    choice.delay = mover->may_wait && waits > 0.6 ? 0.1 + 0.3 * delay : 0;
    any = any || choice.moves;
    course.choices.push_back(choice);
  }
  if (!any && !course.choices.empty()) {
    const auto chosen = random.below(static_cast<int64_t>(course.choices.size()));
    course.choices[static_cast<size_t>(chosen)].moves = true;
  }
  for (size_t m = 0; m < world.movers.size(); ++m) {
    const Mover& mover = *world.movers[m];
    course.motions.push_back(course.choices[m].moves ? mover.move(world, course.choices[m], clock)
                                                     : resting(world, mover, clock));
  }
  return course;
}

Teller::Peak Teller::peak_of(int mover, const Motion& motion, size_t limit) const {
  const Pose& reference = view_->cam_from_world[0];
  const std::vector<Vec3> first = truth_->points_of(mover, motion, 0, limit);
  Peak peak;
  if (first.empty()) return peak;
  for (int64_t t = 1; t < clock_.frames; ++t) {
    const std::vector<Vec3> points = truth_->points_of(mover, motion, t, limit);
    double sum = 0;
    Vec3 total;
    for (size_t i = 0; i < points.size(); ++i) {
      const Vec3 moved = points[i] - first[i];
      sum += length(moved);
      total = total + moved;
    }
    const double scale = 1 / static_cast<double>(points.size());
    if (sum * scale > peak.metres) {
      peak.metres = sum * scale;
      peak.mean = reference.rotate(total * scale);
    }
  }
  return peak;
}

const std::array<double, 4>& Teller::bounds_of(int mover, int option) {
  const auto [found, fresh] = bounds_.try_emplace({mover, option});
  if (fresh) {
    for (size_t band = 0; band < 4; ++band) {
      Choice choice;
      choice.speed = static_cast<double>(band);
      choice.option = option;
      const auto& source = *world_->movers[static_cast<size_t>(mover)];
      found->second[band] = peak_of(mover, source.move(*world_, choice, clock_), 256).metres;
    }
    found->second[0] *= 0.9;
    found->second[3] *= 1.1;
  }
  return found->second;
}

std::string Teller::name_of(int mover, Random& random) const {
  const Mover& own = *world_->movers[static_cast<size_t>(mover)];
  bool same_noun = false, same_colour = false;
  int to_left = 0, alike = 0;
  const auto middle = [&](int m) {
    const auto& source = *world_->movers[static_cast<size_t>(m)];
    Vec3 sum;
    for (const int part : source.parts) {
      sum = sum + world_->parts[static_cast<size_t>(part)].rest.t;
    }
    const Vec3 p =
        view_->cam_from_world[0].apply(sum * (1.0 / static_cast<double>(source.parts.size())));
    return p.x / p.z;
  };
  for (int other = 0; other < static_cast<int>(world_->movers.size()); ++other) {
    const Mover& its = *world_->movers[static_cast<size_t>(other)];
    if (other == mover || its.noun != own.noun) continue;
    same_noun = true;
    if (its.colour != own.colour) continue;
    same_colour = true;
    ++alike;
    to_left += middle(other) < middle(mover) ? 1 : 0;
  }
  std::string name = "the ";
  const bool with_colour = !own.colour.empty() && (same_noun || random.uniform() < 0.5);
  if (same_colour) {
    name += to_left == 0 ? "left " : (to_left == alike ? "right " : "middle ");
  }
  if (with_colour) name += own.colour + " ";
  return name + own.noun;
}

Story Teller::tell(const Course& course, uint64_t seed, int64_t index) {
  Random random = stream_of(seed, index, true);
  Story story;
  Words clauses;
  const int64_t enough = std::max<int64_t>(1, view_->pixels() / 4000);
  for (int mover = 0; mover < static_cast<int>(world_->movers.size()); ++mover) {
    const auto m = static_cast<size_t>(mover);
    const Choice& choice = course.choices[m];
    if (!choice.moves || truth_->pixels_of(mover) < enough) continue;
    const Mover& source = *world_->movers[m];
    const Peak peak = peak_of(mover, course.motions[m], 0);
    if (peak.metres < 1e-4) continue;
    const Telling telling = source.tell(choice.option);
    Action action;
    action.segment = source.segment;
    action.verb = telling.verb;
    action.direction = !telling.turn.empty() ? telling.turn
                       : telling.directed    ? main_direction(peak.mean)
                                             : "";
    // A speed is told when the choice and what is measured agree on its class.
    const auto& bounds = bounds_of(mover, choice.option);
    const auto band = static_cast<size_t>(choice.speed);
    if (peak.metres >= bounds[band] && peak.metres < bounds[band + 1]) {
      action.speed = kSpeeds[band];
      action.peak_at_least = bounds[band];
      action.peak_below = bounds[band + 1];
    }
    // People often leave something open.
    if (random.uniform() < 0.2) action.direction.clear();
    if (random.uniform() < 0.25) {
      action.speed.clear();
      action.peak_at_least = action.peak_below = 0;
    }
    std::string clause = name_of(mover, random) + " " + pick(telling.phrases, random);
    Words details;
    if (!action.direction.empty()) details.push_back(direction_words(action.direction, random));
    if (!action.speed.empty()) details.push_back(speed_words(band, random));
    if (details.size() == 2 && random.uniform() < 0.4) std::swap(details[0], details[1]);
    for (const std::string& detail : details) clause += " " + detail;
    if (choice.delay > 0.2 && random.uniform() < 0.7) {
      clause += pick({" after a moment", " a moment later", " after a short pause"}, random);
    }
    clauses.push_back(std::move(clause));
    story.actions.push_back(std::move(action));
  }
  if (clauses.empty()) {
    story.caption = pick({"nothing moves", "everything stays still", "the scene is still"}, random);
    return story;
  }
  story.caption = clauses[0];
  for (size_t i = 1; i < clauses.size(); ++i) {
    const bool last = i + 1 == clauses.size();
    story.caption +=
        (last ? pick({" and ", " while ", ", and "}, random) : std::string(", ")) + clauses[i];
  }
  return story;
}

}  // namespace momap::synthetic
