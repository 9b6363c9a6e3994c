// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/stage/extractor.h>

#include "plugin_fixture.h"
#include "scenes.h"

namespace {

using momap::testing::context;

std::shared_ptr<momap::Extractor> make(const std::string& yaml) {
  return momap::testing::make_plugin<momap::Extractor>("extraction/oracle", yaml);
}

TEST(Oracle, GivesTheFutureAskedFor) {
  momap::Clip clip = momap::testing::moving_square();
  momap::Future other = clip.truth[0];
  other.motion.xyz = other.motion.xyz * 2;
  clip.truth.push_back(other);
  EXPECT_TRUE(at::equal(make("{}")->extract(clip, context()).xyz, clip.truth[0].motion.xyz));
  EXPECT_TRUE(
      at::equal(make("{future: 1}")->extract(clip, context()).xyz, clip.truth[1].motion.xyz));
}

TEST(Oracle, WhatTheClipDoesNotKnowIsADataError) {
  momap::Clip clip = momap::testing::moving_square();
  EXPECT_THROW(make("{future: 1}")->extract(clip, context()), momap::DataError);
  clip.truth.clear();
  EXPECT_THROW(make("{}")->extract(clip, context()), momap::DataError);
}

}  // namespace
