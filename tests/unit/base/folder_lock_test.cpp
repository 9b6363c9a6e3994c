// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/folder_lock.h>

namespace momap {
namespace {

TEST(FolderLock, IsHeldByOneAndFreeAfterwards) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "new";
  {
    const FolderLock lock(path);
    EXPECT_TRUE(FolderLock::is_held(path));
    EXPECT_FALSE(FolderLock::is_held(path, "other.lock"));
    try {
      const FolderLock second(path, "lock", "drink some tea");
      FAIL() << "locked twice";
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find("another process is working on it; drink some tea"),
                std::string::npos);
    }
  }
  EXPECT_FALSE(FolderLock::is_held(path));
  const FolderLock again(path);
}

TEST(FolderLock, SaysWhichFolderCannotBeLocked) {
  const TemporaryFolder folder;
  write_file(folder.path() / "file", "");
  EXPECT_THROW(FolderLock(folder.path() / "file" / "below"), ConfigError);
  EXPECT_FALSE(FolderLock::is_held(folder.path() / "nothing"));
}

}  // namespace
}  // namespace momap
