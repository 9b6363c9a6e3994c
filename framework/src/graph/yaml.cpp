// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/text.h>
#include <momap/graph/yaml.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/yaml.h>

#include <set>

namespace momap {
namespace {

constexpr int kDeepest = 64;
constexpr int kMostValues = 200'000;

[[noreturn]] void fail(const Mark& mark, const std::string& message, const std::string& hint = {}) {
  Problems problems;
  problems.add(mark, message, hint);
  problems.throw_if_any();
  std::abort();
}

// Turns yaml-cpp's tree into ours, with bounds: an alias that is used twice is walked twice.
class Converter {
 public:
  explicit Converter(std::string file) : file_(std::move(file)) {}

  Config convert(const YAML::Node& node, int depth = 0) {
    const Mark mark = mark_of(node.Mark());
    if (depth > kDeepest) fail(mark, fmt::format("nested deeper than {} levels", kDeepest));
    if (++count_ > kMostValues) {
      fail(mark, fmt::format("more than {} values", kMostValues),
           "aliases (*name) count each time they are used");
    }
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        return Config::scalar(node.Scalar(), mark, node.Tag() == "!");
      case YAML::NodeType::Sequence: {
        std::vector<Config> items;
        for (const auto& item : node) items.push_back(convert(item, depth + 1));
        return Config::list(std::move(items), mark);
      }
      case YAML::NodeType::Map:
        return convert_map(node, mark, depth);
      default:
        return Config::null_at(mark);
    }
  }

  Mark mark_of(const YAML::Mark& mark) const {
    return mark.is_null() ? Mark{file_, 0, 0} : Mark{file_, mark.line + 1, mark.column + 1};
  }

 private:
  Config convert_map(const YAML::Node& node, const Mark& mark, int depth) {
    std::vector<Config::Entry> entries;
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const Mark key_mark = mark_of(entry.first.Mark());
      if (!entry.first.IsScalar()) fail(key_mark, "a key is a list or mapping; expected a name");
      const std::string& key = entry.first.Scalar();
      if (!seen.insert(key).second) {
        fail(key_mark, fmt::format("key '{}' stands twice in one mapping", printable(key)),
             "remove or rename one of them");
      }
      entries.push_back({key, key_mark, convert(entry.second, depth + 1)});
    }
    return Config::map(std::move(entries), mark);
  }

  std::string file_;
  int count_ = 0;
};

}  // namespace

Config parse_yaml(const std::string& text, const std::string& file) {
  Converter converter(file);
  try {
    const auto documents = YAML::LoadAll(text);
    if (documents.size() > 1) {
      fail(converter.mark_of(documents[1].Mark()),
           "a second YAML document ('---') follows the first", "keep one document a file");
    }
    return documents.empty() ? Config::null_at({file, 1, 1}) : converter.convert(documents[0]);
  } catch (const YAML::DeepRecursion& e) {
    fail(converter.mark_of(e.mark), fmt::format("nested deeper than {} levels", kDeepest));
  } catch (const YAML::Exception& e) {
    fail(converter.mark_of(e.mark), fmt::format("not valid YAML: {}", e.msg));
  }
}

Config read_yaml(const std::filesystem::path& path) {
  static constexpr uint64_t kLargest = 16u << 20;
  return parse_yaml(read_file(path, kLargest), path.string());
}

}  // namespace momap
