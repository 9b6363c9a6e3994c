// SPDX-License-Identifier: Apache-2.0
#include "generate_command.h"

#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/base/files.h>
#include <momap/run/threads.h>

#include "futures_page.h"
#include "page.h"
#include "run_command.h"

namespace momap {

int generate_command(const Options& options) {
  const auto catalog = engine_catalog(options);
  const auto file = install_root() / "share/momap/graphs/generate.yaml";
  GraphOptions graph_options;
  graph_options.overrides = {fmt::format("photo.with.path={}", yaml_text(options.image)),
                             fmt::format("photo.with.prompt={}", yaml_text(options.prompt)),
                             fmt::format("sample.with.samples={}", options.futures),
                             fmt::format("seed={}", options.seed)};
  graph_options.overrides.insert(graph_options.overrides.end(), options.set.begin(),
                                 options.set.end());
  const Graph graph = read_graph(file, catalog, graph_options);
  const ThreadBudget budget(options.threads);
  const auto cache = open_cache(options);
  const auto run = recorded_run(graph, run_folder(options, "generate"),
                                run_options(options, budget.count(), cache.get()), cache.get());
  if (run.summary.cancelled) throw Cancelled();
  if (run.summary.failed > 0) throw DataError(run.recorder->failures().at(0));
  const auto page = run.folder / "index.html";
  write_page(page, "Possible futures", {futures_section(run, options.prompt)});
  if (!options.quiet) fmt::print("{}{}\n", summary_text(run.summary, *run.recorder), shown(page));
  return kExitOk;
}

}  // namespace momap
