// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/base/hash.h>
#include <momap/base/text.h>
#include <momap/plugin/loader.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/dll/shared_library.hpp>
#include <cerrno>
#include <cstring>
#include <span>

namespace momap {
namespace {

namespace fs = std::filesystem;

// What the dynamic linker's words mean for the user.
LibraryProblem loading_problem(const fs::path& path, std::string what) {
  // Boost wraps the linker's text; ours starts with the path already.
  if (const size_t at = what.find("(dlerror system message: "); at != std::string::npos) {
    what = what.substr(at + 25);
  }
  const std::string own_prefix = path.string() + ": ";
  if (what.starts_with(own_prefix)) what = what.substr(own_prefix.size());
  while (what.ends_with(')') || what.ends_with(' ')) what.pop_back();
  if (const size_t at = what.find(": cannot open shared object file"); at != std::string::npos) {
    return {
        path, fmt::format("needs library '{}', which is not found", what.substr(0, at)),
        fmt::format("install it or add its folder to LD_LIBRARY_PATH (ldd {} lists all it needs)",
                    shown(path))};
  }
  if (what.find("undefined symbol") != std::string::npos) {
    return {path, fmt::format("needs a symbol that nothing provides: {}", printable(what)),
            "link the library that defines it, or rebuild the plugin against this momap"};
  }
  return {path, fmt::format("cannot be loaded: {}", printable(what)), "rebuild the plugin"};
}

PluginInfo info_of(const PluginRecord& record, const fs::path& path, const std::string& hash) {
  PluginInfo info;
  info.id = record.id;
  info.version = record.version;
  info.summary = record.summary;
  const StageInfo* stage = find_stage(info.stage());
  if (!stage || info.id.find('/') == std::string::npos) {
    std::vector<std::string> stages;
    for (const auto& known : kStages) stages.emplace_back(known.name);
    throw ConfigError(fmt::format("plugin id '{}' does not start with a stage{}", info.id,
                                  suggestion(info.stage(), stages)));
  }
  if (stage->inputs == "*" && !record.inputs) {
    throw ConfigError(
        fmt::format("plugin '{}' declares no inputs; a {} has "
                    "static constexpr const char* kInputs = \"name: kind, ...\"",
                    info.id, stage->name));
  }
  info.inputs = parse_ports(record.inputs ? record.inputs : stage->inputs);
  info.concurrency = record.concurrency;
  info.uses_seed = record.uses_seed;
  info.params = record.schema();
  info.library = path;
  info.library_hash = hash;
  return info;
}

LibraryReport describe_here(const fs::path& path) {
  LibraryReport report;
  try {
    report.plugins = PluginLibrary::open(path)->describe();
    if (report.plugins.empty()) {
      report.problems.push_back({path, "holds no plugin", "end its source with MOMAP_PLUGIN(...)"});
    }
  } catch (const std::exception& e) {
    // `open` has put path and remedy into its words; other errors come from the records themselves.
    const std::string prefix = shown(path) + ": ";
    std::string what = e.what();
    if (what.starts_with(prefix)) what = what.substr(prefix.size());
    const size_t semicolon = what.rfind("; ");
    report.problems.push_back(
        {path, what.substr(0, semicolon),
         semicolon == std::string::npos ? "mend the plugin" : what.substr(semicolon + 2)});
  }
  return report;
}

std::string read_all(int fd) {
  std::string out;
  char buffer[1 << 14];
  ssize_t n = 0;
  while ((n = ::read(fd, buffer, sizeof buffer)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    out.append(buffer, static_cast<size_t>(n));
  }
  return out;
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return;
    text.remove_prefix(static_cast<size_t>(n));
  }
}

// The child's half: describe, report through the pipe, leave without running exit handlers.
[[noreturn]] void describe_and_leave(const fs::path& path, int fd) {
  for (const int signal_number : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) {
    ::signal(signal_number, SIG_DFL);
  }
  static constexpr unsigned kLongestLoadSeconds = 60;
  ::alarm(kLongestLoadSeconds);
  write_all(fd, reports_to_json({describe_here(path)}));
  ::_exit(0);
}

LibraryReport describe_in_child(const fs::path& path) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error(fmt::format("pipe: {}", std::strerror(errno)));
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error(fmt::format("fork: {}", std::strerror(errno)));
  if (child == 0) {
    ::close(ends[0]);
    describe_and_leave(path, ends[1]);
  }
  ::close(ends[1]);
  const std::string text = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return {{},
            {{path,
              number == SIGALRM ? "did not finish loading in 60 s"
                                : fmt::format("crashed while being loaded ({})", strsignal(number)),
              "mend its static constructors (run it under gdb), or remove it"}}};
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || text.empty()) {
    return {
        {},
        {{path,
          fmt::format("ended the process while being loaded (exit code {})", WEXITSTATUS(status)),
          "mend its static constructors, or remove it"}}};
  }
  return reports_from_json(text).at(0);
}

}  // namespace

struct PluginLibrary::Handle {
  fs::path path;
  boost::dll::shared_library library;
  std::span<const PluginRecord* const> records;
};

std::shared_ptr<PluginLibrary> PluginLibrary::open(const fs::path& path) {
  if (const auto problem = check_stamp(path)) throw ConfigError(problem->text());
  auto handle = std::make_shared<Handle>();
  handle->path = path;
  // Never unloaded: tensors made by a plugin may carry a deleter of its code and outlive every
  // plugin object.
  const auto mode = boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local |
                    static_cast<boost::dll::load_mode::type>(RTLD_NODELETE);
  try {
    handle->library.load(boost::dll::fs::path(fs::absolute(path).native()), mode);
  } catch (const std::exception& e) {
    throw ConfigError(loading_problem(path, e.what()).text());
  }
  if (!handle->library.has(kPluginSymbol)) {
    throw ConfigError(LibraryProblem{path, fmt::format("does not export '{}'", kPluginSymbol),
                                     "end its source with MOMAP_PLUGIN(...) and do not strip it"}
                          .text());
  }
  const auto& table = handle->library.get<const PluginTable>(kPluginSymbol);
  if (table.abi != kPluginAbi || table.record_size != sizeof(PluginRecord)) {
    throw ConfigError(LibraryProblem{
        path,
        fmt::format("is built for plugin ABI {}; this momap has ABI {}", table.abi, kPluginAbi),
        "rebuild the plugin against this momap"}
                          .text());
  }
  handle->records = {table.begin, table.end};
  return std::shared_ptr<PluginLibrary>(new PluginLibrary(std::move(handle)));
}

std::vector<PluginInfo> PluginLibrary::describe() const {
  std::vector<PluginInfo> plugins;
  const std::string hash = file_hash(handle_->path);
  for (const auto* record : handle_->records)
    plugins.push_back(info_of(*record, handle_->path, hash));
  return plugins;
}

std::shared_ptr<Stage> PluginLibrary::make_stage(const std::string& id,
                                                 const ParamValues& values) const {
  for (const auto* record : handle_->records) {
    if (id != record->id) continue;
    // The deleter holds the library: the object's code goes after the object.
    return {record->create(values), [handle = handle_](Stage* stage) { delete stage; }};
  }
  throw ConfigError(
      fmt::format("{}: holds no plugin '{}'; the library has changed since it was read",
                  shown(handle_->path), id));
}

std::vector<LibraryReport> describe_in_children(const std::vector<fs::path>& libraries) {
  std::vector<LibraryReport> reports;
  for (const auto& library : libraries) reports.push_back(describe_in_child(library));
  return reports;
}

}  // namespace momap
