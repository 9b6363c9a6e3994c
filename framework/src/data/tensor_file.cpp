// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/data/mapped_file.h>
#include <momap/data/tensor_file.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <vector>

// The format: u64 length N, N bytes of JSON, then the data that the JSON's offsets point into.

namespace momap {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little,
              "safetensors holds little-endian numbers");

constexpr uint64_t kLongestHeader = 100'000'000;  // bytes; the format's own limit
constexpr int kDeepestHeader = 16;
constexpr size_t kMostDimensions = 64;
constexpr const char* kMetadata = "__metadata__";

struct ElementType {
  const char* name;
  at::ScalarType type;
};
constexpr std::array kTypes{ElementType{"BOOL", at::kBool}, ElementType{"U8", at::kByte},
                            ElementType{"I8", at::kChar},   ElementType{"I16", at::kShort},
                            ElementType{"I32", at::kInt},   ElementType{"I64", at::kLong},
                            ElementType{"F16", at::kHalf},  ElementType{"BF16", at::kBFloat16},
                            ElementType{"F32", at::kFloat}, ElementType{"F64", at::kDouble}};

std::string known_types() {
  std::vector<std::string> names;
  for (const auto& type : kTypes) names.emplace_back(type.name);
  return join(names, ", ");
}

// What the header says of one tensor, checked.
struct Entry {
  std::string name;
  at::ScalarType type;
  std::vector<int64_t> sizes;
  uint64_t begin, end;  // bytes in the data part
};

class HeaderReader {
 public:
  HeaderReader(const std::string& owner, std::span<std::byte> file, ValueCheck values)
      : owner_(owner), file_(file), values_(values) {}

  // Offset of the data part.
  uint64_t read(std::vector<Entry>& entries, std::map<std::string, std::string>& metadata) {
    uint64_t length = 0;
    if (file_.size() < sizeof length) {
      refuse(fmt::format("has {} bytes; expected at least 8", file_.size()));
    }
    std::memcpy(&length, file_.data(), sizeof length);
    if (length > kLongestHeader) {
      refuse(fmt::format("header length = {}; expected at most {}", length, kLongestHeader));
    }
    if (length > file_.size() - sizeof length) {
      refuse(
          fmt::format("header length = {}, but only {} bytes follow; the file is cut off or not "
                      "a safetensors file",
                      length, file_.size() - sizeof length));
    }
    const uint64_t data_begin = sizeof length + length;
    const json header = parse(file_.subspan(sizeof length, length));
    for (const auto& [name, value] : header.items()) {
      if (name == kMetadata) {
        read_metadata(value, metadata);
      } else {
        entries.push_back(read_entry(name, value));
      }
    }
    check_layout(entries, file_.size() - data_begin);
    return data_begin;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw ConfigError(fmt::format("{}: {}", owner_, what));
  }
  [[noreturn]] void refuse(const std::string& name, const std::string& what) const {
    refuse(fmt::format("tensor '{}': {}", printable(name), what));
  }

  json parse(std::span<std::byte> bytes) const {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!text.starts_with('{'))
      refuse("header is not a JSON object; this is not a safetensors file");
    std::vector<std::set<std::string>> open_objects;
    const auto guard = [&](int depth, json::parse_event_t event, json& value) {
      if (depth > kDeepestHeader) {
        refuse(fmt::format("header is nested deeper than {}", kDeepestHeader));
      }
      if (event == json::parse_event_t::object_start) open_objects.emplace_back();
      if (event == json::parse_event_t::object_end) open_objects.pop_back();
      if (event == json::parse_event_t::key) {
        const auto& key = value.get_ref<const std::string&>();
        if (!open_objects.back().insert(key).second) {
          refuse(fmt::format("header names '{}' twice", printable(key)));
        }
      }
      return true;
    };
    try {
      // Bytes known to be as they were written name nothing twice; the guard takes most of the
      // time.
      return values_ == ValueCheck::none ? json::parse(text) : json::parse(text, guard);
    } catch (const json::exception& error) {
      refuse(fmt::format("header is not valid JSON: {}", printable(error.what())));
    }
  }

  void read_metadata(const json& value, std::map<std::string, std::string>& metadata) const {
    if (value.is_null()) return;
    if (!value.is_object()) refuse("__metadata__ is not a mapping of strings");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) {
        refuse(fmt::format("__metadata__ '{}' is a {}; expected a string", printable(key),
                           text.type_name()));
      }
      metadata.emplace(key, text.get<std::string>());
    }
  }

  uint64_t read_unsigned(const std::string& name, const json& value, const char* what) const {
    if (!value.is_number_unsigned()) {
      refuse(name, fmt::format("{} holds {}; expected whole numbers from 0", what,
                               printable(value.dump(-1, ' ', true))));
    }
    return value.get<uint64_t>();
  }

  Entry read_entry(const std::string& name, const json& value) const {
    const auto member = [&](const char* key) -> const json& {
      const auto found = value.find(key);
      if (found == value.end()) refuse(name, fmt::format("'{}' is missing", key));
      return *found;
    };
    if (!value.is_object()) refuse(name, "is not described by a mapping");
    Entry entry{
        .name = name, .type = read_type(name, member("dtype")), .sizes = {}, .begin = 0, .end = 0};
    const json& shape = member("shape");
    if (!shape.is_array() || shape.size() > kMostDimensions) {
      refuse(name, fmt::format("shape is not a list of at most {} numbers", kMostDimensions));
    }
    // `span` counts empty dimensions as one, so that strides cannot overflow either.
    int64_t elements = 1, span = 1;
    for (const json& item : shape) {
      const uint64_t size = read_unsigned(name, item, "shape");
      int64_t next = 0;
      if (size > INT64_MAX ||
          __builtin_mul_overflow(span, std::max<int64_t>(1, static_cast<int64_t>(size)), &next)) {
        refuse(name, "shape has more elements than can be counted");
      }
      span = next;
      elements *= static_cast<int64_t>(size);
      entry.sizes.push_back(static_cast<int64_t>(size));
    }
    const json& offsets = member("data_offsets");
    if (!offsets.is_array() || offsets.size() != 2) {
      refuse(name, "data_offsets is not a pair of numbers");
    }
    entry.begin = read_unsigned(name, offsets[0], "data_offsets");
    entry.end = read_unsigned(name, offsets[1], "data_offsets");
    uint64_t needed = 0;
    if (__builtin_mul_overflow(static_cast<uint64_t>(elements), c10::elementSize(entry.type),
                               &needed)) {
      refuse(name, "shape has more bytes than can be counted");
    }
    if (entry.end < entry.begin || entry.end - entry.begin != needed) {
      refuse(name, fmt::format("data_offsets [{}, {}] do not hold the {} bytes of shape [{}]",
                               entry.begin, entry.end, needed, fmt::join(entry.sizes, ", ")));
    }
    return entry;
  }

  at::ScalarType read_type(const std::string& name, const json& value) const {
    if (value.is_string()) {
      if (const auto type = safetensors_type(value.get_ref<const std::string&>())) return *type;
    }
    refuse(name, fmt::format("dtype = {} is not known; expected one of {}",
                             printable(value.dump(-1, ' ', true)), known_types()));
  }

  // Tensors lie one after the other from the first byte to the last: nothing shared, nothing
  // unused.
  void check_layout(std::vector<Entry>& entries, uint64_t data_bytes) const {
    std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
      return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
    });
    uint64_t position = 0;
    for (const Entry& entry : entries) {
      if (entry.begin != position) {
        refuse(entry.name, fmt::format("data starts at byte {}; expected {}, where the one before "
                                       "it ends",
                                       entry.begin, position));
      }
      if (entry.end > data_bytes) {
        refuse(entry.name, fmt::format("data ends at byte {}, but the file holds {}; it is cut off",
                                       entry.end, data_bytes));
      }
      position = entry.end;
    }
    if (position != data_bytes) {
      refuse(fmt::format("holds {} bytes of data and its tensors take {}; expected the same",
                         data_bytes, position));
    }
  }

  const std::string& owner_;
  std::span<std::byte> file_;
  ValueCheck values_;
};

// Eight at a time: masks are a good part of what is read.
bool holds_only_0_and_1(std::span<const std::byte> bytes) {
  constexpr uint64_t kOthers = 0xfefefefefefefefe;
  uint64_t seen = 0;
  size_t i = 0;
  for (; i + sizeof seen <= bytes.size(); i += sizeof seen) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, sizeof word);
    seen |= word;
  }
  for (; i < bytes.size(); ++i) seen |= static_cast<uint64_t>(bytes[i]);
  return (seen & kOthers) == 0;
}

at::Tensor view(const Entry& entry, std::byte* data, const std::shared_ptr<MappedFile>& mapping,
                const std::string& owner, ValueCheck values) {
  const uint64_t size = entry.end - entry.begin;
  if (entry.type == at::kBool && values == ValueCheck::all) {
    const bool clean = holds_only_0_and_1({data, size});
    if (!clean) {
      throw ConfigError(
          fmt::format("{}: tensor '{}': a BOOL is neither 0 nor 1", owner, printable(entry.name)));
    }
  }
  const bool aligned =
      reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(c10::elementSize(entry.type)) == 0;
  if (size > 0 && aligned) {
    return at::from_blob(
        data, entry.sizes, [mapping](void*) {}, entry.type);
  }
  at::Tensor copy = at::empty(entry.sizes, entry.type);
  if (size > 0) std::memcpy(copy.data_ptr(), data, size);
  return copy;
}

}  // namespace

std::string safetensors_type(at::ScalarType type) {
  const auto found = std::ranges::find(kTypes, type, &ElementType::type);
  if (found == kTypes.end()) {
    throw std::invalid_argument(fmt::format("tensors of {} cannot be stored; expected one of {}",
                                            c10::toString(type), known_types()));
  }
  return found->name;
}

std::optional<at::ScalarType> safetensors_type(std::string_view name) {
  const auto found = std::ranges::find(kTypes, name, &ElementType::name);
  return found == kTypes.end() ? std::nullopt : std::optional(found->type);
}

TensorFile read_safetensors(const std::filesystem::path& path) {
  const auto file = std::make_shared<MappedFile>(path);
  return read_safetensors(file, 0, file->bytes().size(), shown(path));
}

TensorFile read_safetensors(const std::shared_ptr<MappedFile>& file, uint64_t offset, uint64_t size,
                            const std::string& owner, ValueCheck values) {
  const uint64_t held = file->bytes().size();
  if (offset > held || size > held - offset) {
    throw ConfigError(
        fmt::format("{}: bytes {} to {} are asked for, and it holds {}; it is cut off", owner,
                    offset, offset + size, held));
  }
  const auto bytes = file->bytes().subspan(offset, size);
  TensorFile content;
  std::vector<Entry> entries;
  const uint64_t data_begin = HeaderReader(owner, bytes, values).read(entries, content.metadata);
  std::byte* const data = bytes.data() + data_begin;
  for (const Entry& entry : entries) {
    content.tensors.emplace(entry.name, view(entry, data + entry.begin, file, owner, values));
  }
  return content;
}

namespace {

// A file in parts: its header with the length before it, then the tensors.
struct Parts {
  std::string header;
  std::vector<at::Tensor> tensors;
};

Parts parts_of(const TensorFile& content) {
  std::vector<std::pair<std::string, at::Tensor>> ordered;
  for (const auto& [name, tensor] : content.tensors) {
    if (!tensor.defined() || name == kMetadata) {
      throw std::invalid_argument(fmt::format("tensor '{}' cannot be stored: it is {}", name,
                                              tensor.defined() ? "a reserved name" : "undefined"));
    }
    ordered.emplace_back(name, tensor.to(at::kCPU).contiguous());
  }
  // Wide elements first, so that every tensor is aligned and can be used where it is mapped.
  std::ranges::stable_sort(ordered, [](const auto& a, const auto& b) {
    return a.second.itemsize() > b.second.itemsize();
  });
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!content.metadata.empty()) header[kMetadata] = content.metadata;
  uint64_t position = 0;
  for (const auto& [name, tensor] : ordered) {
    const uint64_t end = position + tensor.nbytes();
    header[name] = {{"dtype", safetensors_type(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {position, end}}};
    position = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception&) {
    throw std::invalid_argument("safetensors: a name or metadata is not valid UTF-8");
  }
  text.append((8 - text.size() % 8) % 8, ' ');
  const auto length = static_cast<uint64_t>(text.size());
  Parts parts;
  parts.header.assign(reinterpret_cast<const char*>(&length), sizeof length);
  parts.header += text;
  for (auto& [name, tensor] : ordered) {
    if (tensor.nbytes() > 0) parts.tensors.push_back(std::move(tensor));
  }
  return parts;
}

std::span<const std::byte> bytes_of(const at::Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.data_ptr()), tensor.nbytes()};
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const TensorFile& content) {
  const Parts parts = parts_of(content);
  AtomicFile file(path);
  file.write(parts.header);
  for (const auto& tensor : parts.tensors) file.write(bytes_of(tensor));
  file.commit();
}

std::vector<std::byte> safetensors_bytes(const TensorFile& content) {
  const Parts parts = parts_of(content);
  size_t size = parts.header.size();
  for (const auto& tensor : parts.tensors) size += tensor.nbytes();
  std::vector<std::byte> out;
  out.reserve(size);
  const auto header = std::as_bytes(std::span(parts.header));
  out.insert(out.end(), header.begin(), header.end());
  for (const auto& tensor : parts.tensors) {
    const auto bytes = bytes_of(tensor);
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  return out;
}

}  // namespace momap
