// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <set>

namespace momap {
namespace {

namespace fs = std::filesystem;

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

std::string message_of(const auto& action) {
  try {
    action();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(AtomicFile, TakesItsNameOnCommitOnly) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "new" / "deep" / "result.json";
  {
    AtomicFile file(path);
    file.write("half");
    EXPECT_FALSE(fs::exists(path));
    EXPECT_EQ(file.temporary().extension(), ".json");
    EXPECT_EQ(file.temporary().parent_path(), path.parent_path());
    file.write(" and half");
    file.commit();
  }
  EXPECT_EQ(read_file(path), "half and half");
  EXPECT_EQ(names_in(path.parent_path()), std::set<std::string>{"result.json"});
}

TEST(AtomicFile, LeavesNothingWhenNotCommitted) {
  const TemporaryFolder folder;
  write_file(folder.path() / "kept", "old");
  {
    AtomicFile file(folder.path() / "kept");
    file.write("new");
  }
  EXPECT_EQ(read_file(folder.path() / "kept"), "old");
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"kept"});
}

TEST(AtomicFile, TwoWritersOfOneNameDoNotMix) {
  const TemporaryFolder folder;
  AtomicFile first(folder.path() / "same"), second(folder.path() / "same");
  EXPECT_NE(first.temporary(), second.temporary());
  first.write("first");
  second.write("second");
  first.commit();
  EXPECT_EQ(read_file(folder.path() / "same"), "first");
  second.commit();
  EXPECT_EQ(read_file(folder.path() / "same"), "second");
}

TEST(AtomicFile, ACrashLeavesTheOldFileAndTheNextWriteSucceeds) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "result.json";
  write_file(path, "old");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    AtomicFile file(path);
    file.write("half of the n");
    ::_exit(0);  // as a kill would: no destructor runs
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ(read_file(path), "old");
  // The leftover is hidden, carries the writer's process id, and hurts nobody.
  ASSERT_EQ(names_in(folder.path()).size(), 2u);
  EXPECT_TRUE(names_in(folder.path()).begin()->starts_with(".tmp-" + std::to_string(child)));
  write_file(path, "new");
  EXPECT_EQ(read_file(path), "new");
  write_file(folder.path() / "below" / ".tmp-1-1-weights", "half");
  remove_leftovers(folder.path());
  EXPECT_EQ(names_in(folder.path()), (std::set<std::string>{"below", "result.json"}));
  EXPECT_TRUE(names_in(folder.path() / "below").empty());
}

TEST(AtomicFile, WritesWhatAnotherLibraryPutIntoTheTemporaryFile) {
  const TemporaryFolder folder;
  AtomicFile file(folder.path() / "movie.mp4");
  write_file(file.temporary(), "by name");  // replaces the file behind our handle
  file.commit();
  EXPECT_EQ(read_file(folder.path() / "movie.mp4"), "by name");
}

TEST(AtomicFile, SaysWhichFolderCannotBeUsed) {
  const TemporaryFolder folder;
  write_file(folder.path() / "file", "");
  const std::string message =
      message_of([&] { AtomicFile(folder.path() / "file" / "below" / "x.txt"); });
  EXPECT_NE(message.find("x.txt: cannot be created"), std::string::npos) << message;
}

TEST(ReadFile, RefusesFoldersMissingFilesAndWhatIsTooLarge) {
  const TemporaryFolder folder;
  write_file(folder.path() / "ten", "0123456789");
  EXPECT_EQ(read_file(folder.path() / "ten", 10), "0123456789");
  EXPECT_NE(message_of([&] { read_file(folder.path() / "ten", 9); }).find("larger than the 9 B"),
            std::string::npos);
  EXPECT_NE(message_of([&] { read_file(folder.path()); }).find("is a folder"), std::string::npos);
  EXPECT_NE(message_of([&] { read_file(folder.path() / "none"); }).find("No such file"),
            std::string::npos);
}

TEST(Shown, EscapesBytesThatAreNotText) {
  EXPECT_EQ(shown("/data/\xff\n.mp4"), "/data/\\xff\\x0a.mp4");
}

TEST(TemporaryFolder, IsFreshAndGoesWithAllInIt) {
  fs::path path;
  {
    const TemporaryFolder folder("contract"), other("contract");
    path = folder.path();
    EXPECT_NE(path, other.path());
    EXPECT_TRUE(fs::is_empty(path));
    write_file(path / "a" / "b", "content");
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(UserFolders, FollowTheEnvironmentInTheDocumentedOrder) {
  ::setenv("MOMAP_CACHE_DIR", "/own", 1);
  ::setenv("XDG_CACHE_HOME", "/xdg", 1);
  EXPECT_EQ(user_cache_folder(), "/own");
  ::unsetenv("MOMAP_CACHE_DIR");
  EXPECT_EQ(user_cache_folder(), "/xdg/momap");
  ::unsetenv("XDG_CACHE_HOME");
  ::unsetenv("XDG_DATA_HOME");
  ::setenv("HOME", "/home/someone", 1);
  EXPECT_EQ(user_cache_folder(), "/home/someone/.cache/momap");
  EXPECT_EQ(user_data_folder(), "/home/someone/.local/share/momap");
}

}  // namespace
}  // namespace momap
