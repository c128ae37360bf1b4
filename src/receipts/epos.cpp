#include "receipts/epos.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "receipts/code_page.h"
#include "receipts/tap.h"
#include "receipts/xml.h"

namespace posthorn::receipts {

namespace {

using Event = XmlReader::Event;

void put(Bytes& out, std::initializer_list<int> bytes) {
  for (const int byte : bytes) out.push_back(static_cast<std::byte>(byte));
}
void put_text(Bytes& out, std::string_view text) { append(out, as_bytes(text)); }
int low(std::size_t n) { return static_cast<int>(n & 0xFF); }
int high(std::size_t n) { return static_cast<int>(n >> 8 & 0xFF); }

int number_of(std::string_view text, int otherwise, int least, int most) {
  int value = otherwise;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc{} ? std::clamp(value, least, most) : otherwise;
}

bool is_true(std::string_view text) { return text == "true" || text == "1"; }

/// Of attributes that stay until they are given again.
struct Look {
  int wide = 1, tall = 1;
  bool under = false, bold = false, inverted = false;
};

class Writer {
 public:
  Result<void> open(const Event& event) {
    const auto align = event.attribute("align");
    if (!align.empty()) put(out_, {0x1B, 'a', align == "center" ? 1 : align == "right" ? 2 : 0});
    if (event.name == "text") return text(event);
    if (event.name == "feed") return feed(event);
    if (event.name == "cut") {
      return add(event.attribute("type") == "no_feed"
                     ? std::initializer_list<int>{0x1D, 'V', 0}
                     : std::initializer_list<int>{0x1D, 'V', 66, 0});
    }
    if (event.name == "pulse") {
      const int pin = event.attribute("drawer") == "drawer_2" ? 1 : 0;
      return add({0x1B, 'p', pin, 50, 50});
    }
    return {};
  }
  /// content: the element's text.
  Result<void> close(const Event& opened, const std::string& content) {
    if (opened.name == "text") append_for_printer(out_, content, page_);
    if (opened.name == "barcode") barcode(opened, content);
    if (opened.name == "symbol") symbol(opened, content);
    if (opened.name == "image") TRY(image(opened, content));
    if (opened.name == "command") {
      const auto bytes = hex_decode(content);
      if (!bytes) return fail(Errc::malformed, "a command that is no hexadecimal");
      append(out_, *bytes);
    }
    if (out_.size() > Tap::kMostRaw) return fail(Errc::unsupported, "more than 4 MiB to print");
    return {};
  }
  [[nodiscard]] Bytes take() { return std::move(out_); }

 private:
  Result<void> add(std::initializer_list<int> bytes) {
    put(out_, bytes);
    return {};
  }

  Result<void> text(const Event& event) {
    const auto given = [&event](const char* name) { return !event.attribute(name).empty(); };
    if (given("dw")) look_.wide = is_true(event.attribute("dw")) ? 2 : 1;
    if (given("dh")) look_.tall = is_true(event.attribute("dh")) ? 2 : 1;
    look_.wide = number_of(event.attribute("width"), look_.wide, 1, 8);
    look_.tall = number_of(event.attribute("height"), look_.tall, 1, 8);
    if (given("ul")) look_.under = is_true(event.attribute("ul"));
    if (given("em")) look_.bold = is_true(event.attribute("em"));
    if (given("reverse")) look_.inverted = is_true(event.attribute("reverse"));
    if (given("font")) put(out_, {0x1B, 'M', event.attribute("font") == "font_b" ? 1 : 0});
    const std::size_t x = static_cast<std::size_t>(number_of(event.attribute("x"), 0, 0, 65535));
    if (given("x")) put(out_, {0x1B, '$', low(x), high(x)});
    if (event.attributes.empty()) return {};
    put(out_,
        {0x1D, '!', (look_.wide - 1) << 4 | (look_.tall - 1), 0x1B, '-', look_.under ? 1 : 0});
    put(out_, {0x1B, 'E', look_.bold ? 1 : 0, 0x1D, 'B', look_.inverted ? 1 : 0});
    return {};
  }

  Result<void> feed(const Event& event) {
    if (!event.attribute("linespc").empty()) {
      put(out_, {0x1B, '3', number_of(event.attribute("linespc"), 30, 0, 255)});
    }
    if (!event.attribute("unit").empty()) {
      return add({0x1B, 'J', number_of(event.attribute("unit"), 30, 0, 255)});
    }
    return add({0x1B, 'd', number_of(event.attribute("line"), 1, 0, 255)});
  }

  void barcode(const Event& event, const std::string& content) {
    constexpr std::string_view kTypes[] = {"upc_a", "upc_e",   "ean13",  "ean8",   "code39",
                                           "itf",   "codabar", "code93", "code128"};
    std::string_view type = event.attribute("type");
    if (type == "jan13") type = "ean13";
    if (type == "jan8") type = "ean8";
    const auto found = std::find(std::begin(kTypes), std::end(kTypes), type);
    if (found == std::end(kTypes) || content.size() > 255) return;
    const std::string_view hri = event.attribute("hri");
    put(out_, {0x1D, 'h', number_of(event.attribute("height"), 162, 1, 255)});
    put(out_, {0x1D, 'w', number_of(event.attribute("width"), 3, 2, 6)});
    put(out_, {0x1D, 'H', hri == "above" ? 1 : hri == "below" ? 2 : hri == "both" ? 3 : 0});
    put(out_, {0x1D, 'k', 65 + static_cast<int>(found - std::begin(kTypes)), low(content.size())});
    put_text(out_, content);
  }

  void symbol(const Event& event, const std::string& content) {
    if (!event.attribute("type").starts_with("qrcode") || content.size() > 7000) return;
    const std::string_view level = event.attribute("level");
    const int correction = level == "level_h"   ? 3
                           : level == "level_q" ? 2
                           : level == "level_m" ? 1
                                                : 0;
    const std::size_t stored = content.size() + 3;
    put(out_, {0x1D, '(', 'k', 3, 0, 49, 67, number_of(event.attribute("width"), 3, 1, 16)});
    put(out_, {0x1D, '(', 'k', 3, 0, 49, 69, 48 + correction});
    put(out_, {0x1D, '(', 'k', low(stored), high(stored), 49, 80, 48});
    put_text(out_, content);
    put(out_, {0x1D, '(', 'k', 3, 0, 49, 81, 48});
  }

  Result<void> image(const Event& event, const std::string& content) {
    const auto width = static_cast<std::size_t>(number_of(event.attribute("width"), 0, 0, 4096));
    const auto height = static_cast<std::size_t>(number_of(event.attribute("height"), 0, 0, 65535));
    std::string packed = content;
    std::erase_if(packed, [](char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; });
    const auto dots = base64_decode(packed);
    const std::size_t row = (width + 7) / 8;
    if (!dots || row == 0 || height == 0) return fail(Errc::malformed, "a picture that is none");
    if (event.attribute("mode") == "gray16") return gray_image(*dots, width, height);
    if (dots->size() != row * height) return fail(Errc::malformed, "a picture of another size");
    put(out_, {0x1D, 'v', '0', 0, low(row), high(row), low(height), high(height)});
    append(out_, *dots);
    return {};
  }

  /// Four bits a dot, dark is high; black from the middle on.
  Result<void> gray_image(const Bytes& dots, std::size_t width, std::size_t height) {
    const std::size_t from_row = (width + 1) / 2, row = (width + 7) / 8;
    if (dots.size() != from_row * height) return fail(Errc::malformed, "a picture of another size");
    put(out_, {0x1D, 'v', '0', 0, low(row), high(row), low(height), high(height)});
    for (std::size_t y = 0; y < height; ++y) {
      Bytes line(row);
      for (std::size_t x = 0; x < width; ++x) {
        const auto pair = std::to_integer<unsigned>(dots[y * from_row + x / 2]);
        const unsigned shade = x % 2 == 0 ? pair >> 4 : pair & 15;
        if (shade >= 8) line[x / 8] |= static_cast<std::byte>(0x80 >> (x % 8));
      }
      append(out_, line);
    }
    return {};
  }

  Bytes out_;
  Look look_;
  int page_ = 0;
};

/// A document begins with nothing set, whatever the one before has left in the printer: ESC @, and
/// the code page that Writer begins with.
Bytes begun_anew(Bytes document) {
  if (document.empty()) return document;
  Bytes out;
  put(out, {0x1B, '@', 0x1B, 't', 0});
  append(out, document);
  return out;
}

}  // namespace

void append_for_printer(Bytes& out, std::string_view utf8, int& page) {
  constexpr std::array<int, 12> kPages{0, 19, 16, 18, 17, 46, 14, 47, 48, 45, 51, 21};
  const auto byte_in = [](int number, char32_t point) -> int {
    const auto table = code_page_by_number(Language::escpos, static_cast<std::uint8_t>(number));
    if (!table) return -1;
    for (int byte = 0x80; byte < 0x100; ++byte) {
      if (to_code_point(*table, static_cast<std::uint8_t>(byte)) == point) return byte;
    }
    return -1;
  };
  Utf8Reader reader;
  for (const char c : utf8) {
    const auto point = reader.take(static_cast<std::uint8_t>(c));
    if (!point) continue;
    if (*point < 0x80) {
      // Commands come as <command>; a text is text.
      if (*point >= 0x20 || *point == '\n' || *point == '\t') put(out, {static_cast<int>(*point)});
      continue;
    }
    int byte = byte_in(page, *point);
    for (std::size_t i = 0; byte < 0 && i < kPages.size(); ++i) {
      byte = byte_in(kPages[i], *point);
      if (byte < 0) continue;
      page = kPages[i];
      put(out, {0x1B, 't', page});
    }
    put(out, {byte < 0 ? '?' : byte});
  }
}

Result<Bytes> decode_epos(std::string_view xml) {
  XmlReader reader(xml);
  Writer writer;
  std::vector<std::pair<Event, std::string>> open;
  bool found = false;
  std::size_t inside = 0;  // depth at which <epos-print> stands
  while (true) {
    TRY(Event event, reader.next());
    if (event.kind == Event::Kind::end) break;
    if (event.kind == Event::Kind::text) {
      if (!open.empty()) open.back().second += event.text;
    } else if (event.kind == Event::Kind::open) {
      if (inside > 0) TRY(writer.open(event));
      const bool begins = inside == 0 && event.name == "epos-print";
      open.emplace_back(std::move(event), std::string());
      if (begins) {
        found = true;
        inside = open.size();
      }
    } else if (!open.empty()) {
      const auto closed = std::move(open.back());
      open.pop_back();
      if (inside > 0 && open.size() >= inside) TRY(writer.close(closed.first, closed.second));
      if (open.size() < inside) inside = 0;
    }
  }
  if (!found) return fail(Errc::malformed, "there is no <epos-print> in it");
  return begun_anew(writer.take());
}

std::string epos_answer(bool success, std::string_view code) {
  // 0x0F000016: online, drawer pin high, nothing wrong; with a failure "no response" besides.
  const char* status = success ? "251658262" : "251658261";
  return std::string(
             "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
             "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">"
             "<soapenv:Body><response success=\"") +
         (success ? "true" : "false") + "\" code=\"" + std::string(code) + "\" status=\"" + status +
         "\" battery=\"0\" xmlns=\"http://www.epson-pos.com/schemas/2011/03/epos-print\"/>"
         "</soapenv:Body></soapenv:Envelope>";
}

}  // namespace posthorn::receipts
