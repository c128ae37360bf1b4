#include <algorithm>
#include <array>

#include "receipts/lexer.h"

namespace posthorn::receipts {

namespace {

using Head = std::span<const std::uint8_t>;

/// A command whose parameters are always as many, and that has no data.
struct Fixed {
  std::uint8_t name;
  std::uint8_t parameters;
};

template <std::size_t N>
constexpr std::array<Fixed, N> sorted(const Fixed (&list)[N]) {
  std::array<Fixed, N> out{};
  std::copy(std::begin(list), std::end(list), out.begin());
  std::sort(out.begin(), out.end(), [](const Fixed& a, const Fixed& b) { return a.name < b.name; });
  return out;
}

constexpr auto kEscFixed = sorted({
    {' ', 1}, {'!', 1}, {'$', 2}, {'%', 1}, {'-', 1},  {'2', 0}, {'3', 1},  {'<', 0},
    {'=', 1}, {'?', 1}, {'@', 0}, {'B', 2}, {'E', 1},  {'G', 1}, {'J', 1},  {'K', 1},
    {'L', 0}, {'M', 1}, {'R', 1}, {'S', 0}, {'T', 1},  {'U', 1}, {'V', 1},  {'W', 8},
    {'a', 1}, {'c', 2}, {'d', 1}, {'e', 1}, {'f', 2},  {'i', 0}, {'m', 0},  {'p', 3},
    {'r', 1}, {'t', 1}, {'u', 1}, {'v', 0}, {'\\', 2}, {'{', 1}, {0x0C, 0},
});
constexpr auto kGsFixed = sorted({
    {'!', 1}, {'"', 1}, {'#', 1}, {'$', 2}, {'/', 1}, {':', 0},  {'B', 1}, {'E', 1}, {'H', 1},
    {'I', 1}, {'L', 2}, {'P', 2}, {'T', 1}, {'W', 2}, {'\\', 2}, {'^', 3}, {'a', 1}, {'b', 1},
    {'c', 0}, {'f', 1}, {'g', 4}, {'h', 1}, {'j', 1}, {'r', 1},  {'w', 1}, {'z', 3}, {0x0C, 0},
});
constexpr auto kFsFixed = sorted({
    {'!', 1},
    {'&', 0},
    {'-', 1},
    {'.', 0},
    {'?', 2},
    {'C', 1},
    {'S', 2},
    {'W', 1},
    {'p', 2},
});
constexpr auto kStarFixed = sorted({
    {'@', 0}, {'E', 0}, {'F', 0}, {'4', 0}, {'5', 0},  {'-', 1},  {'_', 1},  {'W', 1},  {'h', 1},
    {'i', 2}, {'d', 1}, {'a', 1}, {'I', 1}, {'J', 1},  {'z', 1},  {'0', 0},  {'1', 0},  {'2', 0},
    {'3', 1}, {'Q', 1}, {'l', 1}, {'C', 1}, {'R', 1},  {'M', 0},  {'P', 0},  {':', 0},  {'g', 0},
    {'N', 1}, {'O', 0}, {'?', 2}, {'x', 1}, {'y', 1},  {'%', 1},  {0x07, 2}, {0x0E, 0}, {0x14, 0},
    {'p', 1}, {'s', 2}, {'t', 1}, {'A', 1}, {0x06, 1}, {0x0C, 1}, {0x0F, 0}, {0x12, 0},
});

constexpr Shape kMore{Shape::Kind::more, 0};
constexpr Shape kEnd{Shape::Kind::data, 0};
constexpr Shape data(std::uint64_t count) { return {Shape::Kind::data, count}; }
constexpr Shape until(std::uint8_t stop) { return {Shape::Kind::until, stop}; }

/// Whole with so many bytes, name included.
Shape whole_at(Head head, std::size_t size) { return head.size() < size ? kMore : kEnd; }

std::uint64_t u16(Head head, std::size_t at) { return head[at] + 256ULL * head[at + 1]; }

template <std::size_t N>
Shape fixed(const std::array<Fixed, N>& table, Head head) {
  const auto found =
      std::lower_bound(table.begin(), table.end(), head[1],
                       [](const Fixed& one, std::uint8_t name) { return one.name < name; });
  if (found == table.end() || found->name != head[1]) return kEnd;
  return whole_at(head, 2U + found->parameters);
}

/// "( fn pL pH" and so many bytes.
Shape counted(Head head) { return head.size() < 5 ? kMore : data(u16(head, 3)); }

Shape shape_of_esc(Head head) {
  switch (head[1]) {
    case '(':
      return counted(head);
    case '*': {
      if (head.size() == 3 && head[2] == 'r') return kEnd;  // Star's raster mode
      if (head.size() < 5) return kMore;
      const bool triple = head[2] == 32 || head[2] == 33;
      return data(u16(head, 3) * (triple ? 3 : 1));
    }
    case 'D':
      return until(0);
    case '&': {
      if (head.size() < 5) return kMore;
      const int count = head[4] - head[3] + 1;
      return {Shape::Kind::groups, count > 0 ? static_cast<std::uint64_t>(count) : 0, 1, head[2]};
    }
    default:
      return fixed(kEscFixed, head);
  }
}

Shape shape_of_barcode(Head head) {
  if (head.size() < 3) return kMore;
  if (head[2] <= 6) return until(0);
  if (head[2] < 65 || head[2] > 79) return kEnd;
  return head.size() < 4 ? kMore : data(head[3]);
}

Shape shape_of_gs(Head head) {
  switch (head[1]) {
    case '(':
      return counted(head);
    case '8':
      if (head.size() < 7) return kMore;
      return data(u16(head, 3) + (u16(head, 5) << 16));
    case '*':
      return head.size() < 4 ? kMore : data(8ULL * head[2] * head[3]);
    case 'v':
    case 'Q':
      return head.size() < 8 ? kMore : data(u16(head, 4) * u16(head, 6));
    case 'V':
      if (head.size() < 3) return kMore;
      return whole_at(head, head[2] == 'A' || head[2] == 'B' || head[2] == 'a' || head[2] == 'b' ||
                                    head[2] == 'g' || head[2] == 'h'
                                ? 4
                                : 3);
    case 'k':
      return shape_of_barcode(head);
    case 'C':
      if (head.size() < 3) return kMore;
      return whole_at(head, head[2] == '1' || head[2] == 1 ? 9 : 5);
    default:
      return fixed(kGsFixed, head);
  }
}

Shape shape_of_fs(Head head) {
  switch (head[1]) {
    case '(':
      return counted(head);
    case '2':
      return head.size() < 4 ? kMore : data(72);
    case 'g':
      if (head.size() < 3) return kMore;
      if (head.size() < 10) return kMore;
      return data(head[2] == '1' || head[2] == 1 ? u16(head, 8) : 0);
    case 'q':
      return head.size() < 3 ? kMore : Shape{Shape::Kind::groups, head[2], 4, 8};
    default:
      return fixed(kFsFixed, head);
  }
}

Shape shape_of_dle(Head head) {
  if (head[1] == 0x05) return whole_at(head, 3);
  if (head[1] != 0x04 && head[1] != 0x14) return kEnd;
  if (head.size() < 3) return kMore;
  if (head[1] == 0x04) return whole_at(head, head[2] == 7 || head[2] == 8 || head[2] == 18 ? 4 : 3);
  switch (head[2]) {
    case 1:
    case 2:
      return whole_at(head, 5);
    case 3:
      return whole_at(head, 8);
    case 7:
      return whole_at(head, 4);
    case 8:
      return whole_at(head, 10);
    default:
      return kEnd;
  }
}

/// ESC GS y … (QR) and ESC GS x … (PDF417).
Shape shape_of_star_code(Head head) {
  if (head.size() < 4) return kMore;
  const bool qr = head[2] == 'y';
  switch (head[3]) {
    case 'S':
      if (head.size() < 5) return kMore;
      return whole_at(head, !qr && head[4] == '0' ? 8 : 6);
    case 'D':
      if (!qr) return head.size() < 6 ? kMore : data(u16(head, 4));
      if (head.size() < 5) return kMore;
      // Type 1 has a mode before the length, type 2 stands for several connected codes.
      return head.size() < 8 ? kMore : data(u16(head, 6));
    default:
      return kEnd;
  }
}

Shape shape_of_star_gs(Head head) {
  if (head.size() < 3) return kMore;
  switch (head[2]) {
    case 'y':
    case 'x':
      return shape_of_star_code(head);
    case '(':
      return head.size() < 6 ? kMore : data(u16(head, 4));
    case 'S':
      return head.size() < 9 ? kMore : data(u16(head, 4) * u16(head, 6));
    case 'A':
    case 'R':
      return whole_at(head, 5);
    case '#':
      return whole_at(head, 9);
    case 0x03:
    case 0x07:
      return whole_at(head, 6);
    case 0x19:
      return whole_at(head, 6);
    case 'P':
      if (head.size() < 4) return kMore;
      return whole_at(head, head[3] == '3' ? 12 : head[3] == '2' || head[3] == '4' ? 6 : 4);
    default:
      return whole_at(head, 4);
  }
}

Shape shape_of_star_raster(Head head) {
  if (head.size() < 3) return kMore;
  if (head[2] != 'r') return kEnd;
  if (head.size() < 4) return kMore;
  return head[3] == 'A' || head[3] == 'B' || head[3] == 'C' || head[3] == 'R' ? kEnd : until(0);
}

}  // namespace

Shape shape_of_escpos(Head head) {
  if (head.size() < 2) return kMore;
  switch (head[0]) {
    case 0x1B:
      return shape_of_esc(head);
    case 0x1D:
      return shape_of_gs(head);
    case 0x1C:
      return shape_of_fs(head);
    default:
      return shape_of_dle(head);
  }
}

Shape shape_of_star(Head head) {
  if (head[0] == 'b' || head[0] == 'k') return head.size() < 3 ? kMore : data(u16(head, 1));
  if (head.size() < 2) return kMore;
  switch (head[1]) {
    case 0x1D:
      return shape_of_star_gs(head);
    case 0x1E:
      return whole_at(head, 4);
    case 0x1C:
      if (head.size() < 3) return kMore;
      if (head[2] == 'q')
        return head.size() < 4 ? kMore : Shape{Shape::Kind::groups, head[3], 4, 8};
      return whole_at(head, 5);
    case '*':
      return shape_of_star_raster(head);
    case 'D':
    case 'B':
      return until(0);
    case 'b':
      return until(0x1E);
    case 'K':
    case 'L':
      return head.size() < 4 ? kMore : data(u16(head, 2));
    case 'X':
      return head.size() < 4 ? kMore : data(3 * u16(head, 2));
    case 'k':
      return head.size() < 4 ? kMore : data(24 * u16(head, 2));
    default:
      return fixed(kStarFixed, head);
  }
}

}  // namespace posthorn::receipts
