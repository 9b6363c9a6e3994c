// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "texture.h"
#include "view.h"

namespace momap::synthetic {

struct Rgb {
  float r = 0, g = 0, b = 0;  // linear

  Rgb operator+(const Rgb& o) const { return {r + o.r, g + o.g, b + o.b}; }
  Rgb operator*(float s) const { return {r * s, g * s, b * s}; }
};

inline Rgb as_rgb(const Vec3& v) {
  return {static_cast<float>(v.x), static_cast<float>(v.y), static_cast<float>(v.z)};
}

/// Colour and depth of a posed stage, frame by frame in order. Geometry is exact at pixel centres;
/// colour is smoothed at edges only. What a camera that stands still sees of what never moves is
/// kept from the first frame on.
class Renderer {
 public:
  Renderer(const StageSet& stage, const Patterns& patterns, const View& view);

  /// Draws frame t of the stage as it is posed: rgb u8 [H, W, 3].
  void paint(int64_t t, uint8_t* rgb);

  /// At pixel centres of the frame last painted, [H * W]: face (-1 = sky) and depth (m, 0 = sky).
  const std::vector<int32_t>& faces() const { return now_.faces; }
  const std::vector<float>& depth() const { return now_.depth; }

 private:
  struct Layer {
    std::vector<int32_t> faces;
    std::vector<float> depth;
    std::vector<Rgb> direct, ambient;  // light that a shadow takes away, and the rest
    std::vector<uint8_t> lit;          // the main light is seen
    std::vector<Rgb> colour;           // linear, before edges are smoothed
  };

  /// What a material looks like.
  struct Paint {
    const Pattern* pattern;
    Rgb first, change;  // the first colour, and what leads from it to the second
    float tiles;        // a metre
  };

  /// The light of the world, as shading needs it.
  struct AllLight {
    bool sun;
    Rgb colour;
    Rgb ground, rise;  // ambient light from below, and what leads from it to that from above
    Rgb fill;          // of the weak second light
  };

  /// A point of the picture whose colour, shadow included, goes to place `index`.
  struct Spot {
    double x, y;  // px
    int32_t face;
    uint32_t index;
  };

  /// One of the points in a pixel at which colour is sampled where edges are.
  struct PointInPixel {
    uint32_t pixel, index;
  };

  void draw_still(const PixelRays& rays, const PixelRays* before);
  /// Takes over from the frame before whether a still point is in the shadow of still things, when
  /// the four pixels around it there agree. False: ask a ray.
  bool lit_as_before(const PixelRays& rays, const PixelRays* before, int64_t x, int64_t y);
  void draw_moving(const PixelRays& rays, const MovingBlocks& blocks);
  void cast_shadows(const PixelRays& rays, const std::vector<uint32_t>& pixels, bool moving_casts);
  void mix_light(const std::vector<uint8_t>* where);
  /// Without `blocks`: only what never moves.
  void smooth_edges(const PixelRays& rays, const MovingBlocks* blocks,
                    const std::vector<uint8_t>* where, uint8_t* rgb);
  void shade(const PixelRays& rays, double x, double y, int32_t face, float& depth, Rgb& direct,
             Rgb& ambient) const;
  /// Where it lies in the picture, px.
  static std::array<double, 2> place_of(const PointInPixel& point, int64_t width);
  /// The pixel and the three around the point show one surface.
  bool surrounded(const PointInPixel& point) const;
  /// What shows at the points; without `blocks` what never moves.
  std::vector<int32_t> faces_at(const PixelRays& rays, const MovingBlocks* blocks,
                                const std::vector<PointInPixel>& points) const;
  /// The colour of a pixel centre around the point that shows the same surface; null: there is
  /// none.
  const Rgb* colour_nearby(const PointInPixel& point, int32_t face) const;
  void shade_spots(const PixelRays& rays, const std::vector<Spot>& spots, bool with_moving,
                   std::vector<Rgb>& colours) const;
  /// A ray from a point just off its surface to the light.
  void put_shadow_ray(RayPacket& packet, size_t lane, const Vec3& surface) const;
  Rgb sky(const Vec3& direction) const;
  bool same_surface(int32_t a, int32_t b) const {
    return a == b || (a >= 0 && b >= 0 && stage_->surface(a) == stage_->surface(b));
  }
  bool on_edge(int64_t x, int64_t y) const;
  Vec3 to_light(const Vec3& point) const;
  void grow(std::vector<uint8_t>& mask) const;

  const StageSet* stage_;
  const View* view_;
  std::vector<Paint> paints_;  // by material
  AllLight light_;
  float pixel_size_;  // of a pixel at 1 m, metres
  Vec3 fill_;         // direction to a weak second light
  Layer still_;       // what never moves: all of it for a camera that rests, else faces and lit
  Layer now_;
  std::vector<uint8_t> still_rgb_;  // what never moves, seen by a camera that rests
  std::vector<uint8_t> changed_;    // [H * W], differs from the still layer
};

}  // namespace momap::synthetic
