// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/data/npz.h>

#include <algorithm>
#include <fstream>
#include <functional>

#include "npz_writer.h"
#include "shared_data.h"

namespace momap {
namespace {

namespace fs = std::filesystem;
using testing::bytes_of;
using testing::npy_file;
using testing::write_zip;

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

::testing::AssertionResult says(const std::string& message, const std::vector<std::string>& parts) {
  for (const auto& part : parts) {
    if (message.find(part) == std::string::npos) {
      return ::testing::AssertionFailure() << "no '" << part << "' in: " << message;
    }
  }
  return ::testing::AssertionSuccess();
}

class Numpy : public ::testing::Test {
 protected:
  fs::path file(const std::string& name) const { return folder_.path() / name; }
  fs::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(file(name), std::ios::binary) << bytes;
    return file(name);
  }
  at::Tensor npy(const std::string& bytes) const { return read_npy(write("a.npy", bytes)); }
  std::string npy_refusal(const std::string& bytes) const {
    return refusal([&] { npy(bytes); });
  }
  // Opens and reads every array.
  std::string npz_refusal(const fs::path& path, uint64_t limit = kLargestNumpyArray) const {
    return refusal([&] {
      NpzFile npz(path, limit);
      for (const auto& name : npz.names()) npz.read(name);
    });
  }
  TemporaryFolder folder_;
};

template <class T>
void expect_values(const at::Tensor& tensor, at::ScalarType type, const std::vector<T>& values) {
  ASSERT_EQ(tensor.scalar_type(), type);
  ASSERT_EQ(tensor.numel(), static_cast<int64_t>(values.size()));
  const T* found = static_cast<const T*>(tensor.data_ptr());
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(found[i], values[i]) << i;
}

TEST_F(Numpy, ReadsEveryType) {
  expect_values<uint8_t>(npy(npy_file("|b1", {2}, {"\1\0", 2})), at::kBool, {1, 0});
  expect_values<uint8_t>(npy(npy_file("|u1", {2}, "\xFF\x01")), at::kByte, {255, 1});
  expect_values<int8_t>(npy(npy_file("|i1", {2}, "\xFF\x01")), at::kChar, {-1, 1});
  const std::vector<int16_t> i2{-2, 300};
  expect_values(npy(npy_file("<i2", {2}, bytes_of(i2))), at::kShort, i2);
  const std::vector<int32_t> i4{-2, 1 << 30};
  expect_values(npy(npy_file("<i4", {2}, bytes_of(i4))), at::kInt, i4);
  const std::vector<int64_t> i8{-2, int64_t{1} << 60};
  expect_values(npy(npy_file("<i8", {2}, bytes_of(i8))), at::kLong, i8);
  const std::vector<uint16_t> f2{0x3C00, 0xC000};  // 1, -2
  EXPECT_TRUE(npy(npy_file("<f2", {2}, bytes_of(f2))).equal(at::tensor({1.f, -2.f}).to(at::kHalf)));
  const std::vector<float> f4{1.5f, -3e30f};
  expect_values(npy(npy_file("<f4", {2}, bytes_of(f4))), at::kFloat, f4);
  const std::vector<double> f8{1.5, -3e300};
  expect_values(npy(npy_file("<f8", {2}, bytes_of(f8))), at::kDouble, f8);
}

TEST_F(Numpy, ReadsShapesOfAnyRank) {
  const std::vector<double> one{7};
  const at::Tensor scalar = npy(npy_file("<f8", {}, bytes_of(one)));
  EXPECT_EQ(scalar.dim(), 0);
  EXPECT_EQ(scalar.item<double>(), 7);
  EXPECT_EQ(npy(npy_file("<f8", {0, 3}, "")).sizes(), (std::vector<int64_t>{0, 3}));
  const std::vector<int32_t> values{0, 1, 2, 3, 4, 5};
  const at::Tensor a = npy(npy_file("<i4", {1, 2, 3}, bytes_of(values)));
  EXPECT_EQ(a.sizes(), (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(a[0][1][0].item<int>(), 3);
}

TEST_F(Numpy, ReadsFortranOrderAndBigEndian) {
  // The matrix {{1, 2, 3}, {4, 5, 6}} by columns, high byte first.
  const std::string data({0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6});
  const at::Tensor a =
      npy(npy_file("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3)}", data));
  EXPECT_TRUE(a.equal(at::tensor({1, 2, 3, 4, 5, 6}, at::kShort).reshape({2, 3})));
  EXPECT_TRUE(a.is_contiguous());
}

TEST_F(Numpy, ReadsFormatsTwoAndThree) {
  const std::vector<float> values{1, 2};
  for (const int major : {2, 3}) {
    const auto file = npy_file("{\"descr\":\"<f4\",\"fortran_order\":False,\"shape\":(2,)}",
                               bytes_of(values), major);
    expect_values(npy(file), at::kFloat, values);
  }
}

TEST_F(Numpy, GivesFixedBytesAsPaddedRows) {
  const at::Tensor s = npy(npy_file("|S3", {2}, {"ab\0xyz", 6}));
  ASSERT_EQ(s.sizes(), (std::vector<int64_t>{2, 3}));
  expect_values<uint8_t>(s, at::kByte, {'a', 'b', 0, 'x', 'y', 'z'});
  const at::Tensor f =
      npy(npy_file("{'descr': '|V2', 'fortran_order': True, 'shape': (2, 2)}", "aabbccdd"));
  EXPECT_EQ(std::string(static_cast<const char*>(f.data_ptr()), 8), "aaccbbdd");
}

TEST_F(Numpy, RefusesPicklesAndSaysHowToConvert) {
  const auto message = npy_refusal(npy_file("|O", {1}, "\x80\x04whatever"));
  EXPECT_TRUE(says(message, {"a.npy", "Python objects", "numpy.savez", "'S'"}));
}

TEST_F(Numpy, RefusesOtherTypes) {
  for (const char* descr : {"<u2", "<u4", "<u8", "<c8", "<U4", "<M8[s]", "<f16", "|S", "|S-1",
                            "|S99999999999999999999", "", "<", "f4", "*f4", "<f4x"}) {
    EXPECT_TRUE(says(npy_refusal(npy_file(descr, {1}, std::string(8, 'x'))), {"dtype", descr}))
        << descr;
  }
  EXPECT_TRUE(says(npy_refusal(npy_file("{'descr': [('x', '<f4')], 'fortran_order': False, "
                                        "'shape': (1,)}",
                                        "abcd")),
                   {"structured"}));
}

TEST_F(Numpy, RefusesHeadersThatAreNotPlainLiterals) {
  const std::string good = "'fortran_order': False, 'shape': (1,)";
  for (const std::string& header :
       {std::string(), std::string("{}"), "{'descr': '<f4', " + good,
        "{'descr': '<f4', 'descr': '<f4', " + good + "}",
        "{'descr': '<f4', 'other': 1, " + good + "}", "{'descr': '<f4', " + good + "} x",
        "{'descr': __import__('os'), " + good + "}",
        std::string("{'descr': '<f4', 'fortran_order': 1, 'shape': (1,)}"),
        std::string("{'descr': '<f4', 'fortran_order': False, 'shape': (1)}"),
        std::string("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"),
        std::string("{'descr': '<f4', 'fortran_order': False, 'shape': (1.5,)}"),
        std::string("{'descr': '<f4', 'fortran_order': False}")}) {
    EXPECT_TRUE(says(npy_refusal(npy_file(header, "abcd")), {"a.npy", "header"})) << header;
  }
}

TEST_F(Numpy, RefusesShapesThatDoNotFitTheData) {
  EXPECT_TRUE(says(npy_refusal(npy_file("<f4", {2, 3}, std::string(20, 'x'))),
                   {"[2, 3]", "24 bytes", "20"}));
  EXPECT_TRUE(says(npy_refusal(npy_file("<f4", {1}, std::string(8, 'x'))), {"4 bytes", "8"}));
  // Products that wrap around to what is there, also behind an empty axis.
  EXPECT_TRUE(says(npy_refusal(npy_file("<f4", {int64_t{1} << 62, 4}, "")), {"counted"}));
  EXPECT_TRUE(says(npy_refusal(npy_file("<f4", {0, int64_t{1} << 62, 8}, "")), {"counted"}));
  EXPECT_TRUE(says(npy_refusal(npy_file("|u1", {int64_t{1} << 40}, "x")), {"1099511627776"}));
}

TEST_F(Numpy, RefusesEveryTruncation) {
  const std::vector<float> values{1, 2, 3, 4};
  const std::string whole = npy_file("<f4", {4}, bytes_of(values));
  for (size_t keep = 0; keep < whole.size(); ++keep) {
    EXPECT_TRUE(says(npy_refusal(whole.substr(0, keep)), {"a.npy"})) << keep;
  }
}

TEST_F(Numpy, RefusesOddBoolsMagicAndVersions) {
  EXPECT_TRUE(says(npy_refusal(npy_file("|b1", {1}, "\2")), {"bool"}));
  EXPECT_TRUE(says(npy_refusal("PK and more than ten bytes"), {"not a NumPy array"}));
  EXPECT_TRUE(says(npy_refusal(npy_file("{}", "", 4)), {"version = 4.0"}));
  EXPECT_TRUE(says(refusal([&] { read_npy(file("none.npy")); }), {"none.npy", "no such file"}));
}

TEST_F(Numpy, ReadsStoredAndDeflatedArchives) {
  std::vector<int32_t> values(30000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int32_t>(i % 97);
  const auto array = npy_file("<i4", {300, 100}, bytes_of(values));
  for (const bool deflate : {false, true}) {
    write_zip(file("a.npz"), {{"x.npy", array}, {"deep/y.npy", array}}, {deflate, ""});
    NpzFile npz(file("a.npz"));
    EXPECT_EQ(npz.names(), (std::vector<std::string>{"deep/y", "x"}));
    EXPECT_TRUE(npz.contains("x"));
    EXPECT_FALSE(npz.contains("x.npy"));
    EXPECT_EQ(npz.shape("x"), (std::vector<int64_t>{300, 100}));
    const at::Tensor whole = npz.read("x");
    expect_values(whole, at::kInt, values);
    EXPECT_TRUE(npz.read_rows("x", 7, 9).equal(whole.narrow(0, 7, 2)));
    EXPECT_TRUE(npz.read_rows("x", 299, 300).equal(whole.narrow(0, 299, 1)));
    EXPECT_EQ(npz.read_rows("deep/y", 5, 5).size(0), 0);
    EXPECT_TRUE(says(refusal([&] { npz.read_rows("x", 299, 301); }), {"'x'", "299 to 300"}));
    EXPECT_TRUE(says(refusal([&] { npz.read("z"); }), {"a.npz", "no array 'z'"}));
  }
}

TEST_F(Numpy, ReadsRowsOfFortranOrder) {
  write_zip(file("a.npz"),
            {{"x.npy", npy_file("{'descr': '|u1', 'fortran_order': True, 'shape': (3, 2)}",
                                {"\1\2\3\4\5\6", 6})}});
  expect_values<uint8_t>(NpzFile(file("a.npz")).read_rows("x", 1, 3), at::kByte, {2, 5, 3, 6});
}

TEST_F(Numpy, ReadsWhatNumpyWrites) {
  const fs::path path = testing::shared_folder() / "data/tracks3d_derived/7scenes_a.npz";
  if (!fs::exists(path)) GTEST_SKIP() << path << " is not there";
  NpzFile npz(path);
  EXPECT_EQ(npz.shape("tracks_XYZ"), (std::vector<int64_t>{24, 512, 3}));
  EXPECT_EQ(npz.read("visibility").scalar_type(), at::kBool);
  EXPECT_EQ(npz.read("queries_xyt").scalar_type(), at::kDouble);
  EXPECT_EQ(npz.read("images_jpeg_bytes").size(0), 24);
}

TEST_F(Numpy, WritesWhatItReads) {
  std::map<std::string, at::Tensor> tensors;
  for (const auto type : {at::kByte, at::kChar, at::kShort, at::kInt, at::kLong, at::kHalf,
                          at::kFloat, at::kDouble}) {
    tensors[std::string("type.") + c10::toString(type)] =
        at::arange(24, at::kFloat).reshape({2, 3, 4}).to(type);
  }
  tensors["mask"] = at::arange(5).fmod(2).to(at::kBool);
  tensors["none"] = at::empty({0, 3}, at::kFloat);
  tensors["scalar"] = at::full({}, 2.5, at::kDouble);
  tensors["turned"] = at::arange(6, at::kFloat).reshape({2, 3}).t();
  write_npz(file("a.npz"), tensors, {{"caption", "a ball rolls"}, {"nothing", ""}});
  NpzFile back(file("a.npz"));
  EXPECT_EQ(back.names().size(), tensors.size() + 2);
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor found = back.read(name);
    ASSERT_EQ(found.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(found, tensor)) << name;
  }
  const at::Tensor caption = back.read("caption");
  EXPECT_EQ(std::string(caption.data_ptr<uint8_t>(), caption.data_ptr<uint8_t>() + caption.numel()),
            "a ball rolls");
  write_npz(file("b.npz"), tensors, {{"caption", "a ball rolls"}, {"nothing", ""}});
  EXPECT_EQ(read_file(file("a.npz")), read_file(file("b.npz")));
  EXPECT_THROW(write_npz(file("c.npz"), {{"x", at::zeros({2}, at::kBFloat16)}}),
               std::invalid_argument);
  EXPECT_FALSE(fs::exists(file("c.npz")));
}

TEST_F(Numpy, FindsEveryFlippedByte) {
  std::vector<uint8_t> values(600);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<uint8_t>(i * i * 31 % 251);
  for (const bool deflate : {false, true}) {
    write_zip(file("a.npz"), {{"x.npy", npy_file("|u1", {600}, bytes_of(values))}}, {deflate, ""});
    const std::string whole = read_file(file("a.npz"));
    size_t harmless = 0;
    for (size_t i = 0; i < whole.size(); ++i) {
      std::string bad = whole;
      bad[i] = static_cast<char>(bad[i] ^ 0x10);
      const auto path = write("bad.npz", bad);
      try {
        NpzFile npz(path);
        for (const auto& name : npz.names()) expect_values(npz.read(name), at::kByte, values);
        ++harmless;  // a time stamp, an attribute
      } catch (const ConfigError&) {
      }
    }
    EXPECT_LT(harmless, 60u);
  }
}

TEST_F(Numpy, RefusesTruncatedArchives) {
  write_zip(file("a.npz"), {{"x.npy", npy_file("|u1", {300}, std::string(300, 'q'))}});
  const std::string whole = read_file(file("a.npz"));
  for (size_t keep = 0; keep < whole.size(); ++keep) {
    EXPECT_TRUE(says(npz_refusal(write("cut.npz", whole.substr(0, keep))), {"cut.npz"})) << keep;
  }
}

TEST_F(Numpy, RefusesZipBombsBeforeAllocating) {
  const auto zeros = npy_file("|u1", {50'000'000}, std::string(50'000'000, '\0'));
  write_zip(file("bomb.npz"), {{"x.npy", zeros}});
  EXPECT_TRUE(says(npz_refusal(file("bomb.npz"), 1 << 20), {"'x'", "50000000", "1048576"}));
  // A member that claims more than deflate can hold: its size is raised in both headers.
  write_zip(file("a.npz"), {{"x.npy", npy_file("|u1", {64}, std::string(64, 'z'))}});
  std::string bytes = read_file(file("a.npz"));
  const size_t central = bytes.find("PK\1\2");
  ASSERT_NE(central, std::string::npos);
  for (const size_t place : {size_t{22}, central + 24}) bytes.replace(place, 4, "\0\0\0\x7F", 4);
  EXPECT_TRUE(says(npz_refusal(write("liar.npz", bytes)), {"liar.npz"}));
}

TEST_F(Numpy, RefusesOtherMembersEncryptionAndDuplicates) {
  const auto array = npy_file("|u1", {4}, "abcd");
  write_zip(file("a.npz"), {{"x.npy", array}, {"code.pkl", "cos"}});
  EXPECT_TRUE(says(npz_refusal(file("a.npz")), {"code.pkl", "not an array"}));
  write_zip(file("b.npz"), {{"x.npy", array}}, {true, "secret"});
  EXPECT_TRUE(says(npz_refusal(file("b.npz")), {"x.npy", "encrypted"}));
  write_zip(file("c.npz"), {{"x.npy", array}, {"y.npy", array}});
  std::string bytes = read_file(file("c.npz"));
  for (size_t at = 0; (at = bytes.find("y.npy", at)) != std::string::npos;) bytes[at] = 'x';
  EXPECT_TRUE(says(npz_refusal(write("d.npz", bytes)), {"d.npz"}));
  EXPECT_TRUE(says(npz_refusal(write("e.npz", "no zip")), {"e.npz", "zip"}));
  EXPECT_TRUE(says(npz_refusal(file("none.npz")), {"none.npz", "no such file"}));
  EXPECT_TRUE(says(npz_refusal(folder_.path()), {"is not a file"}));
}

}  // namespace
}  // namespace momap
