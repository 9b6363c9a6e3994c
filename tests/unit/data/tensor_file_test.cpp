// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/tensor_file.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "shared_data.h"

namespace momap {
namespace {

namespace fs = std::filesystem;

at::Tensor counted(const std::vector<int64_t>& sizes, at::ScalarType type) {
  at::Tensor tensor = at::empty(sizes, at::kDouble);
  for (int64_t i = 0; i < tensor.numel(); ++i)
    tensor.data_ptr<double>()[i] = static_cast<double>(i % 97);
  return tensor.to(type);
}

// A file from a header as written and data of `data_bytes` bytes 0, 1, 0, 1 ...
fs::path raw_file(const TemporaryFolder& folder, const std::string& header, size_t data_bytes) {
  std::string text(8, '\0');
  const auto length = static_cast<uint64_t>(header.size());
  std::memcpy(text.data(), &length, 8);
  text += header;
  for (size_t i = 0; i < data_bytes; ++i) text += static_cast<char>(i % 2);
  write_file(folder.path() / "raw.safetensors", text);
  return folder.path() / "raw.safetensors";
}

// What reading a file with this header says, or "accepted".
std::string verdict(const std::string& header, size_t data_bytes) {
  const TemporaryFolder folder;
  try {
    read_safetensors(raw_file(folder, header, data_bytes));
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

#define EXPECT_REFUSED(header, data_bytes, part)                       \
  EXPECT_NE(verdict(header, data_bytes).find(part), std::string::npos) \
      << verdict(header, data_bytes)

constexpr const char* kEight = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";

TEST(Safetensors, EveryTypeAndShapeComesBackBitForBit) {
  const TemporaryFolder folder;
  TensorFile content;
  int i = 0;
  for (const auto type : {at::kBool, at::kByte, at::kChar, at::kShort, at::kInt, at::kLong,
                          at::kHalf, at::kBFloat16, at::kFloat, at::kDouble}) {
    content.tensors[fmt::format("t{}", i++)] = counted({2, 3, 5}, type);
    content.tensors[fmt::format("odd{}", i)] = counted({7}, type);
  }
  content.tensors["scalar"] = counted({}, at::kFloat);
  content.tensors["empty"] = at::empty({0, 4}, at::kDouble);
  content.metadata = {{"momap.format", "1"}, {"text", "two\nlines \"quoted\" 漢"}};
  const fs::path path = folder.path() / "all.safetensors";
  write_safetensors(path, content);
  const TensorFile back = read_safetensors(path);
  EXPECT_EQ(back.metadata, content.metadata);
  ASSERT_EQ(back.tensors.size(), content.tensors.size());
  for (const auto& [name, tensor] : content.tensors) {
    const at::Tensor& found = back.tensors.at(name);
    ASSERT_EQ(found.scalar_type(), tensor.scalar_type()) << name;
    ASSERT_EQ(found.sizes(), tensor.sizes()) << name;
    if (tensor.numel() == 0) continue;
    EXPECT_EQ(std::memcmp(found.data_ptr(), tensor.data_ptr(), tensor.nbytes()), 0) << name;
  }
}

TEST(Safetensors, TheFileIsLaidOutAsTheFormatSays) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x.safetensors";
  write_safetensors(path,
                    {.tensors = {{"b", counted({3}, at::kByte)}, {"w", counted({2}, at::kDouble)}},
                     .metadata = {{"k", "v"}}});
  const std::string text = read_file(path);
  uint64_t length = 0;
  std::memcpy(&length, text.data(), 8);
  EXPECT_EQ(length % 8, 0u);
  const std::string header = text.substr(8, length);
  EXPECT_EQ(header.substr(0, header.find_last_not_of(' ') + 1),
            R"({"__metadata__":{"k":"v"},)"
            R"("w":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},)"
            R"("b":{"dtype":"U8","shape":[3],"data_offsets":[16,19]}})");
  EXPECT_EQ(text.size(), 8 + length + 19);
}

TEST(Safetensors, TheSameContentGivesTheSameBytes) {
  const TemporaryFolder folder;
  const TensorFile content{
      .tensors = {{"a", counted({4, 4}, at::kFloat)}, {"b", counted({5}, at::kLong)}},
      .metadata = {{"z", "1"}, {"y", "2"}}};
  write_safetensors(folder.path() / "1", content);
  write_safetensors(folder.path() / "2", content);
  EXPECT_EQ(read_file(folder.path() / "1"), read_file(folder.path() / "2"));
}

TEST(Safetensors, TensorsKeepTheMappingAliveAndTheFileUnchanged) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x.safetensors";
  write_safetensors(path, {.tensors = {{"a", counted({1000}, at::kFloat)}}, .metadata = {}});
  const std::string before = read_file(path);
  at::Tensor tensor = read_safetensors(path).tensors.at("a");  // the TensorFile is gone
  tensor.data_ptr<float>()[0] = 123;                           // a copy of the page, not the file
  EXPECT_EQ(read_file(path), before);
  fs::remove(path);
  EXPECT_EQ(tensor.data_ptr<float>()[999], 999 % 97);
  EXPECT_EQ(tensor.data_ptr<float>()[0], 123);
}

TEST(Safetensors, UnalignedDataIsReadAll) {
  const TemporaryFolder folder;
  const auto content = read_safetensors(raw_file(
      folder,
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"I32","shape":[2],"data_offsets":[1,9]}})",
      9));
  const at::Tensor b = content.tensors.at("b");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(b.data_ptr()) % 4, 0u);
  EXPECT_EQ(b.data_ptr<int32_t>()[0], 0x00010001);  // bytes 1 0 1 0
}

TEST(Safetensors, GoodHeadersAreAccepted) {
  EXPECT_EQ(verdict(kEight, 8), "accepted");
  EXPECT_EQ(verdict("{}", 0), "accepted");
  EXPECT_EQ(verdict("{}      ", 0), "accepted");
  EXPECT_EQ(verdict(R"({"__metadata__":{"a":"b"}})", 0), "accepted");
  EXPECT_EQ(
      verdict(
          R"({"e":{"dtype":"F32","shape":[0,9],"data_offsets":[0,0]},"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})",
          4),
      "accepted");
}

TEST(Safetensors, OffsetsThatOverlapLeaveGapsOrPointOutsideAreRefused) {
  EXPECT_REFUSED(kEight, 7, "cut off");
  EXPECT_REFUSED(kEight, 9, "holds 9 bytes of data and its tensors take 8");
  EXPECT_REFUSED(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12, "expected 0");
  EXPECT_REFUSED(
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
      12, "tensor 'b'");
  EXPECT_REFUSED(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8, "do not hold");
  EXPECT_REFUSED(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})", 8,
                 "whole numbers from 0");
  EXPECT_REFUSED(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}})", 8, "pair");
  EXPECT_REFUSED(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[5,5]}})", 0, "expected 0");
  EXPECT_REFUSED(
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[18446744073709551608,18446744073709551616]}})",
      8, "whole numbers");
}

TEST(Safetensors, ShapesThatDoNotFitOrCannotBeCountedAreRefused) {
  EXPECT_REFUSED(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8,
                 "12 bytes of shape [3]");
  EXPECT_REFUSED(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8,
                 "whole numbers from 0");
  EXPECT_REFUSED(R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", 8,
                 "whole numbers from 0");
  EXPECT_REFUSED(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})", 8,
                 "can be counted");
  EXPECT_REFUSED(R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})", 0,
                 "can be counted");
  EXPECT_REFUSED(
      R"({"a":{"dtype":"U8","shape":[0,9223372036854775807,9223372036854775807],"data_offsets":[0,0]}})",
      0, "can be counted");
  EXPECT_REFUSED(R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", 8,
                 "shape is not a list");
}

TEST(Safetensors, HeadersThatAreNotOneAreRefused) {
  EXPECT_REFUSED("", 0, "not a JSON object");
  EXPECT_REFUSED("[]", 0, "not a JSON object");
  EXPECT_REFUSED(" {}", 0, "not a JSON object");
  EXPECT_REFUSED("{\"a\":", 0, "not valid JSON");
  EXPECT_REFUSED("{} x", 0, "not valid JSON");
  EXPECT_REFUSED("{\"\xff\":1}", 0, "not valid JSON");
  EXPECT_REFUSED(R"({"a":7})", 0, "not described by a mapping");
  EXPECT_REFUSED(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8, "'dtype' is missing");
  EXPECT_REFUSED(R"({"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}})", 8, "dtype = \"F31\"");
  EXPECT_REFUSED(R"({"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}})", 8, "dtype = 7");
  const std::string deep = "{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}";
  EXPECT_REFUSED(deep, 0, "nested deeper");
}

TEST(Safetensors, NamesGivenTwiceAndMetadataThatIsNotTextAreRefused) {
  EXPECT_REFUSED(
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
      2, "names 'a' twice");
  EXPECT_REFUSED(R"({"__metadata__":{"k":"1","k":"2"}})", 0, "names 'k' twice");
  EXPECT_REFUSED(R"({"__metadata__":{"k":1}})", 0, "__metadata__ 'k' is a number");
  EXPECT_REFUSED(R"({"__metadata__":["k"]})", 0, "__metadata__ is not");
}

TEST(Safetensors, ABoolThatIsNeitherIsRefused) {
  const TemporaryFolder folder;
  const fs::path path =
      raw_file(folder, R"({"a":{"dtype":"BOOL","shape":[4],"data_offsets":[0,4]}})", 4);
  EXPECT_TRUE(read_safetensors(path).tensors.at("a")[1].item<bool>());
  std::string text = read_file(path);
  text.back() = 2;
  write_file(path, text);
  EXPECT_THROW(read_safetensors(path), ConfigError);
}

TEST(Safetensors, FilesTooShortTooLongInTheirOwnWordsOrNotFilesAreRefused) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x";
  const auto refused = [&](const std::string& bytes) {
    write_file(path, bytes);
    EXPECT_THROW(read_safetensors(path), ConfigError);
  };
  refused("");
  refused("1234567");
  refused(std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10));
  refused(std::string("\x03\0\0\0\0\0\0\0{}", 10));
  EXPECT_THROW(read_safetensors(folder.path()), ConfigError);
  EXPECT_THROW(read_safetensors(folder.path() / "none"), ConfigError);
  ASSERT_EQ(::mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(read_safetensors(folder.path() / "pipe"),
               ConfigError);  // and does not wait for a writer
}

TEST(Safetensors, EveryCutOfAGoodFileIsRefused) {
  const TemporaryFolder folder;
  write_safetensors(folder.path() / "x",
                    {.tensors = {{"a", counted({3}, at::kFloat)}}, .metadata = {}});
  const std::string whole = read_file(folder.path() / "x");
  for (size_t size = 0; size < whole.size(); ++size) {
    write_file(folder.path() / "cut", whole.substr(0, size));
    EXPECT_THROW(read_safetensors(folder.path() / "cut"), ConfigError) << size;
  }
}

TEST(Safetensors, TheWriterRefusesWhatTheFormatCannotHold) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x";
  EXPECT_THROW(write_safetensors(path, {.tensors = {{"a", at::Tensor()}}, .metadata = {}}),
               std::invalid_argument);
  EXPECT_THROW(write_safetensors(
                   path, {.tensors = {{"a", at::zeros({1}, at::kComplexFloat)}}, .metadata = {}}),
               std::invalid_argument);
  EXPECT_THROW(write_safetensors(
                   path, {.tensors = {{"__metadata__", counted({1}, at::kFloat)}}, .metadata = {}}),
               std::invalid_argument);
  EXPECT_THROW(write_safetensors(path, {.tensors = {}, .metadata = {{"k", "\xff"}}}),
               std::invalid_argument);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

using testing::shared_folder;

TEST(Safetensors, AcceptsExactlyWhatTheReferenceReaderAccepts) {
  const fs::path folder = shared_folder() / "goldens" / "loader" / "bad";
  if (!fs::exists(folder / "reference_verdicts.json")) {
    GTEST_SKIP() << folder << " is not here; set MOMAP_SHARED to the folder that holds 'goldens'";
  }
  const auto verdicts = nlohmann::json::parse(read_file(folder / "reference_verdicts.json"));
  for (const auto& [name, expected] : verdicts.at("verdicts").items()) {
    std::string found = "accepted";
    try {
      read_safetensors(folder / name);
    } catch (const ConfigError& error) {
      found = error.what();
    }
    EXPECT_EQ(found == "accepted", expected == "accepted") << name << ": " << found;
  }
}

TEST(Safetensors, ReadsEveryFileTheReferenceWrote) {
  const fs::path folder = shared_folder() / "goldens";
  if (!fs::exists(folder)) {
    GTEST_SKIP() << folder << " is not here; set MOMAP_SHARED to the folder that holds 'goldens'";
  }
  int read = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".safetensors" ||
        entry.path().parent_path().filename() == "bad")
      continue;
    EXPECT_NO_THROW(read_safetensors(entry.path())) << entry.path();
    ++read;
  }
  EXPECT_GT(read, 20);
}

}  // namespace
}  // namespace momap
