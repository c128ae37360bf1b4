#include "posthorn/base/json.h"

#include <json/reader.h>
#include <json/writer.h>

#include <cmath>
#include <limits>
#include <memory>
#include <sstream>

#include "base/json_scan.h"
#include "posthorn/base/json_ascii.h"

namespace posthorn::json {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Made once for each thread: its settings are a map of JSON values, and making it costs several
/// times what reading one of our short texts does. The writer likewise.
std::unique_ptr<::Json::CharReader> make_reader() {
  ::Json::CharReaderBuilder builder;
  ::Json::CharReaderBuilder::strictMode(&builder.settings_);
  builder["stackLimit"] = 64;
  builder["strictRoot"] = false;  // a bare number or string is JSON too
  builder["failIfExtra"] = true;
  builder["rejectDupKeys"] = false;
  return std::unique_ptr<::Json::CharReader>(builder.newCharReader());
}

std::unique_ptr<::Json::StreamWriter> make_writer(bool utf8) {
  ::Json::StreamWriterBuilder builder;
  builder["indentation"] = "";
  builder["emitUTF8"] = utf8;
  builder["precision"] = 15;  // as many as every number of 15 digits comes back with: 52.5208
  return std::unique_ptr<::Json::StreamWriter>(builder.newStreamWriter());
}

std::string written_by(::Json::StreamWriter& writer, const Value& value) {
  std::ostringstream text;
  writer.write(value, &text);
  return std::move(text).str();
}

/// jsoncpp's text begins "* Line 1, Column 18\n"; the cloud's form counts bytes from 0.
std::size_t error_position(std::string_view text, const std::string& message) {
  std::size_t line = 0;
  std::size_t column = 0;
  if (std::sscanf(message.c_str(), "* Line %zu, Column %zu", &line, &column) != 2) return 0;
  std::size_t start = 0;
  for (std::size_t i = 1; i < line; ++i) {
    const std::size_t end = text.find('\n', start);
    if (end == std::string_view::npos) break;
    start = end + 1;
  }
  return start + (column > 0 ? column - 1 : 0);
}

tl::unexpected<Error> unexpected_token(std::string_view text, std::size_t at) {
  if (at >= text.size()) return fail(Errc::malformed, "Unexpected end of JSON input");
  return fail(Errc::malformed, "Unexpected token " + std::string(1, text[at]) +
                                   " in JSON at position " + std::to_string(at));
}

}  // namespace

Result<Value> parse(std::string_view text, std::size_t most_values) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const Scan found = scan(text);
  if (found.bad_number) return unexpected_token(text, *found.bad_number);
  if (found.values > most_values) {
    return fail(Errc::malformed,
                "the JSON holds more than " + std::to_string(most_values) + " values");
  }
  if (found.mended) text = *found.mended;
  Value value;
  std::string message;
  bool ok = false;
  try {
    thread_local const std::unique_ptr<::Json::CharReader> kReader = make_reader();
    ok = kReader->parse(text.data(), text.data() + text.size(), &value, &message);
  } catch (const std::exception& thrown) {  // nesting over the limit is thrown, not returned
    const std::string why = thrown.what();
    const bool deep = why.find("stackLimit") != std::string::npos;
    return fail(Errc::malformed, deep ? "the JSON is nested more than 64 levels deep" : why);
  }
  if (ok) return value;
  return unexpected_token(text, error_position(text, message));
}

std::string write(const Value& value) {
  thread_local const std::unique_ptr<::Json::StreamWriter> kWriter = make_writer(true);
  return written_by(*kWriter, value);
}

std::string write_ascii(const Value& value) {
  thread_local const std::unique_ptr<::Json::StreamWriter> kWriter = make_writer(false);
  return written_by(*kWriter, value);
}

const Value& at(const Value& object, const char* key) {
  if (!object.isObject()) return Value::nullSingleton();
  const Value* found = object.find(key, key + std::char_traits<char>::length(key));
  return found != nullptr ? *found : Value::nullSingleton();
}

std::string_view peek(std::string_view written, std::string_view key) {
  // Quotes inside a text are escaped, so this stands for a member only.
  const std::string wanted = "\"" + std::string(key) + "\":\"";
  const std::size_t at = written.find(wanted);
  if (at == std::string_view::npos) return {};
  written.remove_prefix(at + wanted.size());
  const std::string_view value = written.substr(0, written.find('"'));
  return value.find('\\') == std::string_view::npos ? value : std::string_view();
}

std::optional<std::string> string_at(const Value& object, const char* key) {
  const Value& value = at(object, key);
  if (!value.isString()) return std::nullopt;
  return value.asString();
}

std::optional<std::int64_t> int_of(const Value& value) {
  if (!value.isInt64() || value.isBool()) return std::nullopt;
  return value.asInt64();
}

std::optional<double> double_of(const Value& value) {
  if (!value.isDouble() || value.isBool()) return std::nullopt;  // whole numbers are doubles too
  const double number = value.asDouble();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

std::optional<std::int64_t> int_at(const Value& object, const char* key) {
  return int_of(at(object, key));
}

std::optional<bool> bool_at(const Value& object, const char* key) {
  const Value& value = at(object, key);
  if (!value.isBool()) return std::nullopt;
  return value.asBool();
}

std::optional<std::string> text_of(const Value& value) {
  if (value.isString()) return value.asString();
  if (const auto number = int_of(value)) return std::to_string(*number);
  return std::nullopt;
}

}  // namespace posthorn::json
