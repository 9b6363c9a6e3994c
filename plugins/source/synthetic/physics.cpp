// SPDX-License-Identifier: Apache-2.0
#include "physics.h"

#include <btBulletDynamicsCommon.h>

#include <cmath>
#include <memory>

namespace momap::synthetic {
namespace {

btVector3 to_bullet(const Vec3& v, double unit) {
  return {static_cast<btScalar>(v.x * unit), static_cast<btScalar>(v.y * unit),
          static_cast<btScalar>(v.z * unit)};
}

btTransform to_bullet(const Pose& pose, double unit) {
  btMatrix3x3 basis;
  for (int i = 0; i < 3; ++i) {
    const Vec3& row = pose.rows[static_cast<size_t>(i)];
    basis[i].setValue(static_cast<btScalar>(row.x), static_cast<btScalar>(row.y),
                      static_cast<btScalar>(row.z));
  }
  return btTransform(basis, to_bullet(pose.t, unit));
}

// Bullet's single-precision rotation made orthonormal in double precision.
Pose from_bullet(const btTransform& transform, double unit) {
  const btQuaternion q = transform.getRotation();
  const double norm = std::sqrt(double{q.x()} * q.x() + double{q.y()} * q.y() +
                                double{q.z()} * q.z() + double{q.w()} * q.w());
  const double x = q.x() / norm, y = q.y() / norm, z = q.z() / norm, w = q.w() / norm;
  Pose pose;
  pose.rows = {{{1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)},
                {2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)},
                {2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)}}};
  const btVector3& t = transform.getOrigin();
  pose.t = Vec3{t.x(), t.y(), t.z()} * (1 / unit);
  return pose;
}

class Simulation {
 public:
  Simulation(double size, const std::vector<Obstacle>& obstacles) : unit_(1 / size) {
    // The plain row solver: the vectorised ones depend on the processor.
    solver_.setConstraintRowSolverGeneric(solver_.getScalarConstraintRowSolverGeneric());
    solver_.setConstraintRowSolverLowerLimit(solver_.getScalarConstraintRowSolverLowerLimit());
    world_.setGravity(to_bullet(Vec3{0, 0, -9.81}, unit_));
    for (const Obstacle& obstacle : obstacles) {
      Body fixed;
      fixed.size = obstacle.size;
      fixed.start = obstacle.pose;
      fixed.density = 0;
      fixed.bounce = 1;  // the body's own bounce decides
      add(fixed);
    }
  }
  ~Simulation() {
    for (const auto& body : bodies_) world_.removeRigidBody(body.get());
  }
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  btRigidBody& add(const Body& body) {
    double volume = body.size.x * body.size.y * body.size.z;
    if (body.ball) {
      const double r = body.size.x;
      volume = 4.0 / 3 * kPi * r * r * r;
      shapes_.push_back(std::make_unique<btSphereShape>(static_cast<btScalar>(r * unit_)));
    } else {
      shapes_.push_back(std::make_unique<btBoxShape>(to_bullet(body.size * 0.5, unit_)));
      shapes_.back()->setMargin(btScalar(0.01));
    }
    btCollisionShape* shape = shapes_.back().get();
    const auto mass = static_cast<btScalar>(body.density * volume);
    btVector3 inertia(0, 0, 0);
    if (mass > 0) shape->calculateLocalInertia(mass, inertia);
    btRigidBody::btRigidBodyConstructionInfo info(mass, nullptr, shape, inertia);
    info.m_startWorldTransform = to_bullet(body.start, unit_);
    info.m_friction = static_cast<btScalar>(body.friction);
    info.m_restitution = static_cast<btScalar>(body.bounce);
    info.m_rollingFriction = static_cast<btScalar>(body.rolling);
    bodies_.push_back(std::make_unique<btRigidBody>(info));
    btRigidBody& out = *bodies_.back();
    out.setActivationState(DISABLE_DEACTIVATION);
    out.setLinearVelocity(to_bullet(body.velocity, unit_));
    out.setAngularVelocity(to_bullet(body.spin, 1));
    world_.addRigidBody(&out);
    return out;
  }

  void advance(double seconds, int steps) {
    for (int i = 0; i < steps; ++i) {
      world_.stepSimulation(static_cast<btScalar>(seconds / steps), 0);
    }
  }

  double unit() const { return unit_; }

 private:
  double unit_;  // of the engine's lengths in a metre
  btDefaultCollisionConfiguration configuration_;
  btCollisionDispatcher dispatcher_{&configuration_};
  btDbvtBroadphase broadphase_;
  btSequentialImpulseConstraintSolver solver_;
  btDiscreteDynamicsWorld world_{&dispatcher_, &broadphase_, &solver_, &configuration_};
  std::vector<std::unique_ptr<btCollisionShape>> shapes_;
  std::vector<std::unique_ptr<btRigidBody>> bodies_;
};

}  // namespace

std::vector<Pose> simulate(const std::vector<Obstacle>& obstacles, const std::vector<Body>& bodies,
                           double size, const Clock& clock, int64_t first) {
  constexpr double kStepsPerSecond = 240;
  Simulation simulation(size, obstacles);
  std::vector<btRigidBody*> moving;
  for (const Body& body : bodies) moving.push_back(&simulation.add(body));
  const int steps = static_cast<int>(std::ceil(kStepsPerSecond / clock.fps));
  std::vector<Pose> poses;
  for (int64_t t = 0; t < clock.frames; ++t) {
    if (t > first) simulation.advance(1 / clock.fps, steps);
    for (size_t b = 0; b < bodies.size(); ++b) {
      poses.push_back(t <= first ? bodies[b].start
                                 : from_bullet(moving[b]->getWorldTransform(), simulation.unit()));
    }
  }
  return poses;
}

}  // namespace momap::synthetic
