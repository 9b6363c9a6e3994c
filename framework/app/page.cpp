// SPDX-License-Identifier: Apache-2.0
#include "page.h"

#include <fmt/format.h>
#include <momap/base/files.h>
#include <momap/base/text.h>

namespace momap {
namespace {

constexpr const char* kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>@TITLE@</title>
<style>
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 0 auto; padding: 1rem 1.2rem 3rem; }
h1 { font-size: 1.6rem; margin: .6rem 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .3rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem; margin: .8rem 0; }
figure { margin: 0; background: var(--soft); border-radius: 6px; overflow: hidden; }
img, video { width: 100%; display: block; } figcaption { padding: .4rem .6rem; font-size: .9rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); }
</style></head><body>
<h1>@TITLE@</h1>
)";

std::string figure_html(const Figure& figure, const std::filesystem::path& folder) {
  const auto source =
      figure.data.empty() ? relative_url(figure.file.lexically_proximate(folder)) : figure.data;
  const std::string caption = html_escaped(figure.caption);
  const std::string media =
      figure.file.extension() == ".mp4"
          ? fmt::format(
                "<video src=\"{}\" controls loop muted autoplay playsinline title=\"{}\"></video>",
                source, caption)
          : fmt::format("<img src=\"{}\" alt=\"{}\">", source, caption);
  return fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n", media, caption);
}

std::string table_html(const std::vector<std::vector<std::string>>& rows) {
  std::string out = "<div class=\"scroll\"><table>\n";
  for (size_t r = 0; r < rows.size(); ++r) {
    const char* tag = r == 0 ? "th" : "td";
    out += "<tr>";
    for (const auto& cell : rows[r])
      out += fmt::format("<{}>{}</{}>", tag, html_escaped(cell), tag);
    out += "</tr>\n";
  }
  return out + "</table></div>\n";
}

}  // namespace

std::string html_escaped(const std::string& text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string relative_url(const std::filesystem::path& path) {
  std::string out;
  for (const char c : path.generic_string()) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte < 0x80 && (std::isalnum(byte) ||
                                       std::string_view("-_.~/").find(c) != std::string_view::npos);
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return out;
}

void write_page(const std::filesystem::path& file, const std::string& title,
                const std::vector<PageSection>& sections) {
  std::string html = kHead;
  for (size_t at = html.find("@TITLE@"); at != std::string::npos; at = html.find("@TITLE@")) {
    html.replace(at, 7, html_escaped(title));
  }
  for (const auto& section : sections) {
    html += fmt::format("<section><h2>{}</h2>\n<p>{}</p>\n", html_escaped(section.title),
                        html_escaped(section.text));
    if (!section.figures.empty()) {
      html += "<div class=\"figures\">\n";
      for (const auto& figure : section.figures) html += figure_html(figure, file.parent_path());
      html += "</div>\n";
    }
    if (!section.table.empty()) html += table_html(section.table);
    html += "</section>\n";
  }
  write_file(file, html + "</body></html>\n");
}

void write_script_page(const std::filesystem::path& file, const std::string& title,
                       const std::string& variable, std::string json, std::string_view script) {
  // "<" in a script could end it.
  for (size_t at = json.find('<'); at != std::string::npos; at = json.find('<', at)) {
    json.replace(at, 1, "\\u003c");
  }
  write_file(
      file, fmt::format("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                        "<link rel=\"icon\" href=\"data:,\">\n<title>{}</title></head><body>\n"
                        "<noscript>This page needs JavaScript.</noscript>\n"
                        "<script>const {} = {};</script>\n<script>{}</script>\n</body></html>\n",
                        html_escaped(title), variable, json, script));
}

}  // namespace momap
