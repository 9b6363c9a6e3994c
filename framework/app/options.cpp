// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <momap/base/error.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "command_line.h"

namespace momap {
namespace {

// Declares the commands one by one; each says what it does, its options and an example.
class CommandLine {
 public:
  explicit CommandLine(Options& options) : options_(options) {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", MOMAP_VERSION);
    app_.footer(
        "Help on one command: momap COMMAND --help. Exit codes: 0 done, 2 configuration, 3 data, "
        "1 bug, 130 stopped.");
    app_.get_formatter()->column_width(34);
    demo();
    run();
    validate();
    graph();
    explain();
    train();
    generate();
    compare();
    view();
    report();
    db();
    sweep();
    leaderboard();
    plugins();
    doctor();
    schema();
    completion();
    clean();
    internal();
  }

  CLI::App& app() { return app_; }

 private:
  CLI::App* command(CLI::App* parent, const std::string& name, const std::string& full,
                    const std::string& help, const std::string& example) {
    CLI::App* sub = parent->add_subcommand(name, help);
    sub->callback([this, full] { options_.command = full; });
    if (!example.empty()) sub->footer("Example:\n  " + example);
    sub->add_option("--plugins", options_.plugins, "Folder with more plugin libraries (repeatable)")
        ->type_name("DIR")
        ->expected(1)
        ->take_all();
    sub->add_flag("-q,--quiet", options_.quiet, "Only errors and results");
    sub->add_flag("-v,--verbose", options_.verbose, "More words");
    return sub;
  }

  void graph_file(CLI::App* sub) {
    sub->add_option("graph", options_.graph, "Graph file (YAML)")->required()->type_name("FILE");
    sub->add_option("--set", options_.set, "Override a key: --set warp.with.radius=2 (repeatable)")
        ->type_name("KEY=VALUE")
        ->expected(1)
        ->take_all();
  }

  void running(CLI::App* sub) {
    sub->add_option("-o,--output", options_.output,
                    "Folder for results (default: runs/<name>-<time>)")
        ->type_name("DIR");
    sub->add_option("--threads", options_.threads, "Threads to use (default: all)")
        ->check(CLI::Range(0, 4096));
    sub->add_flag("--no-cache", options_.no_cache, "Compute everything, store nothing");
    sub->add_option("--cache-size", options_.cache_gigabytes, "Limit of the cache folder, GB")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
  }

  void demo() {
    auto* sub =
        command(&app_, "demo", "demo",
                "Run the main job on a real video and a real photograph, and show the result",
                "momap demo");
    running(sub);
  }

  void run() {
    auto* sub = command(
        &app_, "run", "run", "Run a graph over all samples of its sources",
        "momap run configs/graphs/video.yaml --set video.with.path=street.avi -o runs/street");
    graph_file(sub);
    running(sub);
    sub->add_option("--samples", options_.samples, "At most so many samples (default: all)")
        ->check(CLI::NonNegativeNumber);
    sub->add_flag("--keep-going", options_.keep_going,
                  "Record samples that fail and go on (default: stop at the first)");
    sub->add_flag("--json", options_.json, "Print run.json instead of tables");
  }

  void validate() {
    auto* sub = command(&app_, "validate", "validate", "Check a graph; runs and loads nothing",
                        "momap validate configs/graphs/video.yaml");
    graph_file(sub);
    sub->add_flag("--resolved", options_.verbose,
                  "Print the graph with every parameter spelled out");
  }

  void graph() {
    auto* sub =
        command(&app_, "graph", "graph", "Print a graph for Graphviz, with types on the edges",
                "momap graph configs/graphs/video.yaml | dot -Tsvg > graph.svg");
    graph_file(sub);
  }

  void explain() {
    auto* sub = command(&app_, "explain", "explain",
                        "Say for each step whether it is cached and, if not, what changed",
                        "momap explain configs/graphs/video.yaml");
    graph_file(sub);
    sub->add_option("--cache-size", options_.cache_gigabytes, "Limit of the cache folder, GB")
        ->group("");
  }

  void train() {
    auto* sub =
        command(&app_, "train", "train",
                "Train a network on what a recipe's graph gives; resumes where it was stopped",
                "momap train configs/models/street/recipe.yaml -o runs/street");
    graph_file(sub);
    running(sub);
  }

  void generate() {
    auto* sub =
        command(&app_, "generate", "generate", "Generate possible futures of one photograph",
                "momap generate --image street.jpg --prompt \"people walk\" --samples 4 -o out");
    sub->add_option("--image", options_.image, "The photograph")->required()->type_name("FILE");
    sub->add_option("--prompt", options_.prompt, "What happens, in words");
    sub->add_option("--samples", options_.futures, "Number of futures K")
        ->capture_default_str()
        ->check(CLI::Range(1, 1024));
    sub->add_option("--seed", options_.seed, "Another seed gives other futures")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    sub->add_option("--set", options_.set, "Override a key of configs/graphs/generate.yaml")
        ->type_name("KEY=VALUE")
        ->expected(1)
        ->take_all();
    running(sub);
  }

  void compare() {
    auto* sub =
        command(&app_, "compare", "compare",
                "Compare two runs sample by sample: what differs, and by how much they score",
                "momap compare runs/softmax runs/mesh");
    sub->add_option("runs", options_.inputs, "Folders of two finished runs, A and B")
        ->required()
        ->type_name("DIR")
        ->expected(2);
    sub->add_flag("--json", options_.json, "For programs");
  }

  void view() {
    auto* sub = command(&app_, "view", "view",
                        "Make a page that shows the motion maps of a finished run in 3D",
                        "momap view runs/street && xdg-open runs/street/view.html");
    sub->add_option("run", options_.folder, "Folder of a finished run")
        ->required()
        ->type_name("DIR");
    sub->add_option("-o,--output", options_.output,
                    "Folder for view.html and its points (default: the run's)")
        ->type_name("DIR");
    sub->add_option("--points", options_.points, "Points of a map that are shown, at most")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000000));
  }

  void report() {
    auto* sub = command(&app_, "report", "report",
                        "Make a page of tables, plots and pictures from a run, a sweep, a "
                        "leaderboard or a training",
                        "momap report runs/warpings && xdg-open runs/warpings/report.html\n"
                        "  momap report runs/board --pictures -o board_page");
    sub->add_option("results", options_.folder,
                    "Folder of the results, or the results.json of a leaderboard")
        ->required()
        ->type_name("PATH");
    sub->add_option("-o,--output", options_.output,
                    "Folder for report.html and copies of all that it shows (default: beside the "
                    "results, without copies)")
        ->type_name("DIR");
    sub->add_flag("--pictures", options_.pictures,
                  "Run every row again, from the cache where possible, with videos of what its "
                  "metrics look at");
    sub->add_option("--tensorboard", options_.tensorboard,
                    "Write curves and mean scores as TensorBoard event files too")
        ->type_name("DIR");
    sub->add_option("--samples", options_.pictured,
                    "Samples whose pictures each row shows, worst first")
        ->capture_default_str()
        ->check(CLI::Range(0, 100000));
    sub->add_option("--points", options_.points, "Points of a map in the 3D view, at most")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000000));
  }

  void db() {
    CLI::App* group =
        app_.add_subcommand("db", "Build, look at, check, join and export MoMap databases");
    group->require_subcommand(1);
    const auto database = [&](CLI::App* sub) {
      sub->add_option("database", options_.database, "Folder of the database")
          ->required()
          ->type_name("DIR");
    };
    const auto target = [&](CLI::App* sub, const char* help) {
      sub->add_option("-o,--output", options_.output, help)->required()->type_name("DIR");
    };
    auto* build = command(group, "build", "db build",
                          "Fill a database through a recipe's graph; goes on where it was stopped",
                          "momap db build street.yaml videos/ -o databases/street");
    build->add_option("recipe", options_.graph, "Graph file with a 'db' section (YAML)")
        ->required()
        ->type_name("FILE");
    build
        ->add_option("videos", options_.inputs,
                     "Videos, folders of videos, or lists of them (.txt, .jsonl), for a recipe "
                     "that reads source/clips")
        ->type_name("PATH");
    build->add_option("--set", options_.set, "Override a key of the recipe (repeatable)")
        ->type_name("KEY=VALUE")
        ->expected(1)
        ->take_all();
    target(build, "Folder of the database");
    build
        ->add_option("--shard", options_.shard,
                     "Do part I of N (from 0), on one of N machines; join with `momap db merge`")
        ->type_name("I/N");
    build
        ->add_option("--threads", options_.threads,
                     "Threads to use (default: all); with slurm: of each task (default: 1)")
        ->check(CLI::Range(0, 4096));
    auto* which = launcher(build);
    build->add_option("--parts", options_.parts, "With slurm: tasks that share the work")
        ->capture_default_str()
        ->check(CLI::Range(1, 100000))
        ->needs(which);
    build->add_option("--jobs", options_.jobs, "With slurm: tasks at once (default: no limit)")
        ->check(CLI::Range(1, 100000))
        ->needs(which);
    build->add_option("--samples", options_.samples, "At most so many samples (default: all)")
        ->check(CLI::NonNegativeNumber);
    build->add_flag("--keep-going", options_.keep_going,
                    "Record samples that fail and go on (default: stop at the first)");
    auto* info = command(group, "info", "db info", "Say what a database holds",
                         "momap db info databases/street --json");
    database(info);
    info->add_flag("--json", options_.json, "For programs");
    auto* verify = command(group, "verify", "db verify",
                           "Read every byte of a database and compare it with its checksums",
                           "momap db verify databases/street");
    database(verify);
    verify->add_flag("--json", options_.json, "For programs");
    verify->add_option("--threads", options_.threads, "Threads to use (default: all)")
        ->check(CLI::Range(0, 4096));
    auto* merge = command(group, "merge", "db merge", "Join databases into one",
                          "momap db merge part0 part1 -o databases/all");
    merge->add_option("databases", options_.inputs, "Folders of databases")
        ->required()
        ->type_name("DIR");
    target(merge, "Folder of the joined database");
    auto* exported =
        command(group, "export", "db export", "Write each sample as a file of plain arrays",
                "momap db export databases/street -o plain --format npz");
    database(exported);
    target(exported, "Folder to write to");
    exported->add_option("--format", options_.export_format, "safetensors, or npz for NumPy")
        ->capture_default_str()
        ->check(CLI::IsMember({"safetensors", "npz"}));
    exported->add_option("--samples", options_.samples, "At most so many samples (default: all)")
        ->check(CLI::NonNegativeNumber);
  }

  void table_format(CLI::App* sub) {
    sub->add_option("--format", options_.format, "text, markdown, latex, csv or jsonl")
        ->capture_default_str()
        ->check(CLI::IsMember({"text", "markdown", "latex", "csv", "jsonl"}));
  }

  CLI::Option* launcher(CLI::App* sub) {
    auto* which =
        sub->add_option("--launcher", options_.launcher,
                        "local: processes here; slurm: tasks of a cluster that shares this folder")
            ->capture_default_str()
            ->check(CLI::IsMember({"local", "slurm"}));
    sub->add_option("--sbatch", options_.sbatch,
                    "One more argument for sbatch: --sbatch=--partition=long (repeatable)")
        ->type_name("ARG")
        ->expected(1)
        ->take_all();
    return which;
  }

  void jobs(CLI::App* sub) {
    sub->add_option("--jobs", options_.jobs,
                    "Jobs at once, each a process (default: one a core; with slurm: no limit)")
        ->check(CLI::Range(1, 4096));
    sub->add_option("--threads", options_.threads,
                    "Threads of all jobs together (default: all); with slurm: of each (default: 1)")
        ->check(CLI::Range(0, 4096));
    sub->add_flag("--no-cache", options_.no_cache, "Compute everything, store nothing");
    sub->add_option("--cache-size", options_.cache_gigabytes, "Limit of the cache folder, GB")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
  }

  void sweep() {
    CLI::App* group =
        app_.add_subcommand("sweep", "Run a graph with many settings and compare what they give");
    group->require_subcommand(1);
    auto* run = command(group, "run", "sweep run", "Start a sweep",
                        "momap sweep run configs/sweeps/warping.yaml -o runs/warping");
    run->add_option("sweep", options_.graph, "Sweep file (YAML: base, sweep)")
        ->required()
        ->type_name("FILE");
    run->add_option("--set", options_.set, "Override a key in all points (repeatable)")
        ->type_name("KEY=VALUE")
        ->expected(1)
        ->take_all();
    run->add_option("-o,--output", options_.output,
                    "Folder for results (default: runs/<name>-<time>)")
        ->type_name("DIR");
    const auto working = [&](CLI::App* sub) {
      jobs(sub);
      launcher(sub);
      table_format(sub);
      sub->add_flag("--json", options_.json, "Print the table as JSON lines");
      sub->add_flag("--fail-fast,!--keep-going", options_.fail_fast,
                    "Stop at the first job that fails (default: go on with the others)");
    };
    const auto existing = [&](CLI::App* sub) {
      sub->add_option("folder", options_.folder, "Folder of the sweep")
          ->required()
          ->type_name("DIR");
    };
    working(run);
    auto* resume = command(group, "resume", "sweep resume",
                           "Go on where a sweep was stopped or killed; finished jobs are kept",
                           "momap sweep resume runs/warping");
    existing(resume);
    working(resume);
    auto* retry = command(group, "retry", "sweep retry", "Go on, and try failed jobs once more",
                          "momap sweep retry runs/warping --failed");
    existing(retry);
    working(retry);
    retry->add_flag("--failed")->description("What it does in any case");
    auto* status =
        command(group, "status", "sweep status", "Say how far a sweep is, with its tables",
                "momap sweep status runs/warping --watch");
    existing(status);
    table_format(status);
    status->add_flag("--watch", options_.watch, "Show it every two seconds until it has ended");
  }

  void leaderboard() {
    CLI::App* group = app_.add_subcommand(
        "leaderboard", "Score and time entries by the rules of a board, and check others' results");
    group->require_subcommand(1);
    const auto board = [&](CLI::App* sub) {
      sub->add_option("board", options_.graph, "Leaderboard file (YAML: board, steps)")
          ->required()
          ->type_name("FILE");
      sub->add_option("--entry", options_.inputs, "File with one more entry (repeatable)")
          ->type_name("FILE")
          ->expected(1)
          ->take_all();
      jobs(sub);
    };
    auto* run = command(group, "run", "leaderboard run", "Run all entries of a board",
                        "momap leaderboard run configs/leaderboards/warping.yaml --entry mine.yaml "
                        "--plugins build -o runs/board");
    board(run);
    launcher(run);
    table_format(run);
    run->add_flag("--json", options_.json, "Print the table as JSON lines");
    run->add_option("-o,--output", options_.output,
                    "Folder for results (default: runs/<name>-<time>)")
        ->type_name("DIR");
    auto* show =
        command(group, "show", "leaderboard show", "Print results of one board as one table",
                "momap leaderboard show runs/board/results.json --format markdown");
    show->add_option("results", options_.inputs, "results.json of `momap leaderboard run`")
        ->required()
        ->type_name("FILE");
    table_format(show);
    show->add_flag("--json", options_.json, "Print the table as JSON lines");
    auto* check = command(group, "check", "leaderboard check",
                          "Compare results with the board's rules and run a share of them again",
                          "momap leaderboard check configs/leaderboards/warping.yaml results.json");
    board(check);
    check->add_option("results", options_.database, "results.json to check")
        ->required()
        ->type_name("FILE");
    check->add_option("--share", options_.share, "Share of the rows to run again (default: 0.25)")
        ->check(CLI::Range(0.0, 1.0));
    check->add_option("--seed", options_.seed, "Another seed draws other rows")
        ->check(CLI::NonNegativeNumber);
  }

  void plugins() {
    CLI::App* group = app_.add_subcommand("plugins", "List, describe, check and make plugins");
    group->require_subcommand(1);
    auto* list =
        command(group, "list", "plugins list", "All plugins, in the order of the data path",
                "momap plugins list --plugins build/my_plugins");
    list->add_flag("--json", options_.json, "For programs");
    auto* describe = command(group, "describe", "plugins describe",
                             "Parameters of a plugin: type, range, default, meaning",
                             "momap plugins describe warping/point_splat --format json-schema");
    describe->add_option("id", options_.plugin_id, "Plugin, stage/name")
        ->required()
        ->type_name("PLUGIN");
    describe->add_option("--format", options_.format, "text, json, markdown or json-schema")
        ->capture_default_str()
        ->check(CLI::IsMember({"text", "json", "markdown", "json-schema"}));
    auto* check = command(group, "check", "plugins check",
                          "Run the contract suite of its stage on every plugin of a library",
                          "momap plugins check build/my_warp.so");
    check->add_option("library", options_.libraries, "Plugin library (.so)")->required();
    auto* fresh = command(group, "new", "plugins new",
                          "Write a folder with a minimal plugin that builds outside the tree",
                          "momap plugins new warping/my_warp");
    fresh->add_option("id", options_.plugin_id, "Plugin, stage/name")->required();
    fresh->add_option("--into", options_.folder, "Folder to make it in (default: here)")
        ->type_name("DIR");
    auto* docs = command(group, "docs", "plugins docs",
                         "Write the documentation page of every plugin (docs/plugins)",
                         "momap plugins docs docs/plugins");
    docs->add_option("folder", options_.folder, "Folder to write to")->required();
  }

  void doctor() {
    auto* sub =
        command(&app_, "doctor", "doctor",
                "Show versions, threads, folders, and plugins that cannot be used; check data sets",
                "momap doctor\n  momap doctor --data\n  momap doctor --data sintel=/data/sintel");
    sub->add_flag("--json", options_.json, "For programs");
    sub->add_option("--data", options_.data,
                    "Compare local copies of data sets with their cards; without a name, list the "
                    "data sets that have one")
        ->type_name("NAME=FOLDER")
        ->expected(0, 1 << 20);
    sub->callback([this, sub] {
      options_.command = sub->count("--data") > 0 ? "doctor --data" : "doctor";
      std::erase(options_.data, "");  // what CLI11 gives for --data without a value
    });
  }

  void schema() {
    auto* sub = command(&app_, "schema", "schema",
                        "Print the JSON Schema of a kind of file, for completion in editors",
                        "momap schema graph > graph.schema.json");
    sub->add_option("kind", options_.format, "graph (recipes too), sweep or board")
        ->required()
        ->check(CLI::IsMember({"graph", "sweep", "board"}));
    sub->callback([this] {
      options_.command = options_.format == "graph" ? "schema" : "schema " + options_.format;
    });
  }

  void completion() {
    auto* sub = command(&app_, "completion", "completion",
                        "Print the script that lets a shell complete commands, options and plugins",
                        "eval \"$(momap completion bash)\"");
    sub->add_option("shell", options_.format, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  }

  void clean() {
    auto* sub = command(&app_, "clean", "clean",
                        "Empty the cache of step results and plugin descriptions", "momap clean");
    sub->footer("Runs, models and databases are not touched.");
  }

  // What the build, the launcher and shells call; not shown in help.
  void internal() {
    auto* task = command(&app_, "run-task", "run-task", "", "");
    task->add_option("folder", options_.folder)->required();
    task->add_option("list", options_.task_list)->required();
    task->add_option("--threads", options_.threads);
    task->add_flag("--no-cache", options_.no_cache);
    task->add_option("--cache-size", options_.cache_gigabytes);
    task->group("");
    auto* complete = command(&app_, "complete", "complete", "", "");
    complete->add_option("words", options_.inputs);
    complete->group("");
    auto* describe = command(&app_, "describe-libraries", "describe-libraries", "", "");
    describe->add_option("library", options_.libraries);
    describe->group("");
    command(&app_, "describe-engine", "describe-engine", "", "")->group("");
    auto* write = command(&app_, "write-catalog", "write-catalog", "", "");
    write->add_option("folder", options_.folder)->required();
    write->group("");
  }

  Options& options_;
  CLI::App app_{"MoMap: extract, store, generate, render and measure 3D scene motion", "momap"};
};

}  // namespace

void with_command_line(const std::function<void(const CLI::App&)>& look) {
  Options options;
  CommandLine line(options);
  look(line.app());
}

Options parse_command_line(int argc, char** argv) {
  Options options;
  CommandLine line(options);
  try {
    line.app().parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(line.app().exit(error) == 0 ? kExitOk : kExitConfig);
  }
  return options;
}

}  // namespace momap
