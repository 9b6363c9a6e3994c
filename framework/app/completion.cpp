// SPDX-License-Identifier: Apache-2.0
#include "completion.h"

#include <fmt/format.h>
#include <momap/base/text.h>
#include <momap/catalog/catalog.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "command_line.h"
#include "engine_process.h"

namespace momap {
namespace {

// Collects candidates that begin with what has been typed.
class Candidates {
 public:
  explicit Candidates(std::string typed) : typed_(std::move(typed)) {}

  void add(const std::string& word, const std::string& meaning = "") {
    if (!word.starts_with(typed_)) return;
    text_ += meaning.empty() ? word + "\n" : fmt::format("{}\t{}\n", word, meaning);
  }
  void add_paths(bool only_folders) { text_ += only_folders ? ":folders\n" : ":files\n"; }

  const std::string& text() const { return text_; }

 private:
  std::string typed_;
  std::string text_;
};

// The words that an option or argument may be: CLI11 tells a set as "TEXT:{a,b}".
void add_values(const CLI::Option& option, const Options& options, Candidates& out) {
  const std::string type = option.get_type_name();
  if (const size_t brace = type.find('{'); brace != std::string::npos) {
    const std::string set = type.substr(brace + 1, type.find('}') - brace - 1);
    for (const auto& value : split(set, ',')) out.add(value);
  } else if (type.starts_with("PLUGIN")) {
    const auto catalog = Catalog::read(plugin_folders(options.plugins), describe_by_engine);
    for (const auto& plugin : catalog.plugins()) out.add(plugin.id, plugin.summary);
  } else if (type.starts_with("DIR")) {
    out.add_paths(true);
  } else if (type.starts_with("FILE") || type.starts_with("PATH")) {
    out.add_paths(false);
  }
}

// The option of a command that `word` names; nullptr when there is none.
const CLI::Option* option_named(const CLI::App& command, const std::string& word) {
  if (!word.starts_with('-')) return nullptr;
  return command.get_option_no_throw(word);
}

const CLI::App* subcommand(const CLI::App& command, const std::string& name) {
  const auto found =
      command.get_subcommands([&](const CLI::App* sub) { return sub->get_name() == name; });
  return found.empty() ? nullptr : found[0];
}

bool takes_value(const CLI::Option& option) { return option.get_expected_max() > 0; }

void add_option_names(const CLI::App& command, Candidates& out) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group().empty()) continue;
    for (const auto& name : option->get_lnames()) out.add("--" + name, option->get_description());
  }
}

void add_commands_and_arguments(const CLI::App& command, size_t arguments_before,
                                const Options& options, Candidates& out) {
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    if (!sub->get_group().empty()) out.add(sub->get_name(), sub->get_description());
  }
  size_t position = 0;
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    const auto most = static_cast<size_t>(option->get_items_expected_max());
    if (arguments_before < position + most) {
      add_values(*option, options, out);
      return;
    }
    position += most;
  }
}

}  // namespace

std::string completions(const std::vector<std::string>& words, const Options& options) {
  Candidates out(words.empty() || words.back() == "=" ? "" : words.back());
  with_command_line([&](const CLI::App& program) {
    const CLI::App* command = &program;
    const CLI::Option* waiting = nullptr;  // an option whose value comes next
    size_t arguments = 0;
    for (size_t i = 0; i + 1 < words.size(); ++i) {
      if (words[i] == "=") continue;  // bash makes three words of --option=value
      if (waiting) {
        waiting = nullptr;
      } else if (const CLI::Option* option = option_named(*command, words[i])) {
        if (takes_value(*option)) waiting = option;
      } else if (const CLI::App* sub = subcommand(*command, words[i])) {
        command = sub;
      } else if (!words[i].starts_with('-')) {
        ++arguments;
      }
    }
    if (waiting) {
      add_values(*waiting, options, out);
    } else if (!words.empty() && words.back().starts_with('-')) {
      add_option_names(*command, out);
    } else {
      add_commands_and_arguments(*command, arguments, options, out);
    }
  });
  return out.text();
}

std::string completion_script(const std::string& shell) {
  static const std::map<std::string, const char*> kScripts{
      {"bash", R"SCRIPT(# momap completion for bash: eval "$(momap completion bash)"
_momap() {
  local line typed=${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  while IFS=$'\t' read -r line _; do
    case $line in
      :files) compopt -o filenames; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$typed") ;;
      :folders) compopt -o filenames; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "$typed") ;;
      *) COMPREPLY+=("$line") ;;
    esac
  done < <('@MOMAP@' complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _momap momap ./momap
)SCRIPT"},
      {"zsh", R"SCRIPT(#compdef momap
# momap completion for zsh: eval "$(momap completion zsh)"
_momap() {
  local word meaning
  local -a words_found
  while IFS=$'\t' read -r word meaning; do
    case $word in
      :files) _files ;;
      :folders) _files -/ ;;
      *) words_found+=("${word//:/\\:}:$meaning") ;;
    esac
  done < <('@MOMAP@' complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#words_found )) && _describe momap words_found
}
compdef _momap momap ./momap
)SCRIPT"},
      {"fish", R"SCRIPT(# momap completion for fish: momap completion fish | source
function __momap
  for line in ('@MOMAP@' complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)
    switch $line
      case :files
        __fish_complete_path (commandline -ct)
      case :folders
        __fish_complete_directories (commandline -ct)
      case '*'
        echo $line
    end
  end
end
complete -c momap -f -a '(__momap)'
)SCRIPT"}};
  static constexpr std::string_view kProgram = "@MOMAP@";
  std::string text = kScripts.at(shell);
  text.replace(text.find(kProgram), kProgram.size(), (install_root() / "bin/momap").string());
  return text;
}

}  // namespace momap
