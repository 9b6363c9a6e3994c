// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace momap {

/// A picture or video beside the page.
struct Figure {
  std::filesystem::path file;
  std::string caption;
  std::string data = {};  ///< a data: URL that is shown in place of the file
};

struct PageSection {
  std::string title;
  std::string text;  ///< one paragraph
  std::vector<Figure> figures;
  std::vector<std::vector<std::string>> table;  ///< first row: headings
};

/// A path as a relative URL: everything but letters, digits and a few marks is percent-encoded.
std::string relative_url(const std::filesystem::path& path);

/// Text that may stand in HTML.
std::string html_escaped(const std::string& text);

/// Writes a static page that opens from disk, in a browser, without a server. Figures are linked
/// relative to it.
void write_page(const std::filesystem::path& file, const std::string& title,
                const std::vector<PageSection>& sections);

/// Writes a page that a script makes: `json` is its constant `variable`.
void write_script_page(const std::filesystem::path& file, const std::string& title,
                       const std::string& variable, std::string json, std::string_view script);

}  // namespace momap
