// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <momap/base/error.h>
#include <momap/experiment/table.h>

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

namespace momap {
namespace {

// Characters, as far as a terminal is concerned.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string padded(const std::string& text, size_t width, bool right) {
  const std::string space(width - std::min(width, width_of(text)), ' ');
  return right ? space + text : text + space;
}

// Columns that hold numbers are set to the right.
std::vector<bool> numeric(const Table& table) {
  std::vector<bool> out(table.columns.size(), false);
  for (const auto& row : table.rows) {
    for (size_t c = 0; c < row.size(); ++c) out[c] = out[c] || row[c].value.has_value();
  }
  return out;
}

std::vector<size_t> widths(const Table& table) {
  std::vector<size_t> out;
  for (const auto& name : table.columns) out.push_back(width_of(name));
  for (const auto& row : table.rows) {
    for (size_t c = 0; c < row.size(); ++c) out[c] = std::max(out[c], width_of(row[c].text));
  }
  return out;
}

std::string as_text(const Table& table) {
  const auto right = numeric(table);
  const auto width = widths(table);
  std::string out;
  const auto line = [&](auto cell_text) {
    std::string text;
    for (size_t c = 0; c < table.columns.size(); ++c) {
      text += (c ? "  " : "") + padded(cell_text(c), width[c], right[c]);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  };
  line([&](size_t c) { return table.columns[c]; });
  for (const auto& row : table.rows) line([&](size_t c) { return row[c].text; });
  return out;
}

std::string as_markdown(const Table& table) {
  const auto right = numeric(table);
  const auto escaped = [](std::string text) {
    for (size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) {
      text.insert(at, "\\");
    }
    return text;
  };
  std::string out = "|";
  for (const auto& name : table.columns) out += " " + escaped(name) + " |";
  out += "\n|";
  for (const bool is_number : right) out += is_number ? "---:|" : "---|";
  out += "\n";
  for (const auto& row : table.rows) {
    out += "|";
    for (const auto& cell : row) out += " " + escaped(cell.text) + " |";
    out += "\n";
  }
  return out;
}

std::string as_latex(const Table& table) {
  const auto escaped = [](const std::string& text) {
    std::string out;
    for (const char c : text) {
      if (std::string_view("&%$#_{}").find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
    for (size_t at = out.find("±"); at != std::string::npos; at = out.find("±", at)) {
      out.replace(at, std::string_view("±").size(), "$\\pm$");
    }
    return out;
  };
  std::string out = "\\begin{tabular}{";
  for (const bool is_number : numeric(table)) out += is_number ? 'r' : 'l';
  out += "}\n\\toprule\n";
  for (size_t c = 0; c < table.columns.size(); ++c)
    out += (c ? " & " : "") + escaped(table.columns[c]);
  out += " \\\\\n\\midrule\n";
  for (const auto& row : table.rows) {
    for (size_t c = 0; c < row.size(); ++c) out += (c ? " & " : "") + escaped(row[c].text);
    out += " \\\\\n";
  }
  return out + "\\bottomrule\n\\end{tabular}\n";
}

std::string as_csv(const Table& table) {
  const auto quoted = [](const std::string& text) {
    if (text.find_first_of(",\"\n") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
    return out + "\"";
  };
  std::string out;
  for (size_t c = 0; c < table.columns.size(); ++c)
    out += (c ? "," : "") + quoted(table.columns[c]);
  out += "\n";
  for (const auto& row : table.rows) {
    for (size_t c = 0; c < row.size(); ++c) {
      out +=
          (c ? "," : "") + (row[c].value ? fmt::format("{}", *row[c].value) : quoted(row[c].text));
    }
    out += "\n";
  }
  return out;
}

std::string as_json_lines(const Table& table) {
  std::string out;
  for (const auto& row : table.rows) {
    nlohmann::ordered_json object;
    for (size_t c = 0; c < row.size(); ++c) {
      if (row[c].value) {
        object[table.columns[c]] = *row[c].value;
      } else {
        object[table.columns[c]] = row[c].text;
      }
    }
    out += object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  }
  return out;
}

}  // namespace

std::string table_text(const Table& table, const std::string& format) {
  static const std::map<std::string, std::function<std::string(const Table&)>> kFormats{
      {"text", as_text},
      {"markdown", as_markdown},
      {"latex", as_latex},
      {"csv", as_csv},
      {"jsonl", as_json_lines}};
  const auto found = kFormats.find(format);
  if (found == kFormats.end()) {
    throw ConfigError(fmt::format(
        "format = {} is not allowed; expected one of text markdown latex csv jsonl", format));
  }
  return found->second(table);
}

}  // namespace momap
