#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace posthorn {

/// What kind of thing went wrong: for code. The list is closed and short on purpose.
enum class Errc : std::uint8_t {
  malformed,     ///< bytes or text that do not have the shape they must have
  timeout,       ///< no answer in the time given
  disconnected,  ///< the connection is not there or went away
  refused,       ///< the other side understood and said no
  not_found,     ///< what was named does not exist
  busy,          ///< try again later; nothing is wrong
  full,          ///< no room: queue, disk, quota
  io,            ///< the disk or the operating system failed
  crypto,        ///< a signature, MAC or key is wrong
  unsupported,   ///< well-formed, but not something we do
  cancelled,     ///< given up by our own side, e.g. at shutdown
};

[[nodiscard]] std::string_view to_string(Errc code);

/// code is for code; detail is for people and says what was wrong and, where known, what to do.
struct Error {
  Errc code = Errc::malformed;
  std::string detail;

  bool operator==(const Error&) const = default;
};

/// "malformed: node truncated"
[[nodiscard]] std::string to_string(const Error& error);

/// A value or an Error, and may not be dropped silently. Test it, then use `*r`.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  Result(Base base) : Base(std::move(base)) {}
};

/// `return fail(Errc::malformed, "node truncated");` in any function that returns a Result.
[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string detail) {
  return tl::unexpected<Error>(Error{code, std::move(detail)});
}

/// Passes an error on with words in front: "devices of 4 recipients: no answer".
[[nodiscard]] tl::unexpected<Error> fail(Error error, std::string_view context);

}  // namespace posthorn

#define POSTHORN_JOIN_(a, b) a##b
#define POSTHORN_JOIN(a, b) POSTHORN_JOIN_(a, b)
#define POSTHORN_TRY_PICK_(one, two, name, ...) name
#define POSTHORN_TRY1_(expr)                                                      \
  do {                                                                            \
    if (auto try_result_ = (expr); !try_result_)                                  \
      return ::tl::unexpected<::posthorn::Error>(std::move(try_result_.error())); \
  } while (false)
#define POSTHORN_TRY2_IMPL_(result, decl, expr)                                       \
  auto result = (expr);                                                               \
  if (!result) return ::tl::unexpected<::posthorn::Error>(std::move(result.error())); \
  decl = std::move(*result)
#define POSTHORN_TRY2_(decl, expr) \
  POSTHORN_TRY2_IMPL_(POSTHORN_JOIN(try_result_, __LINE__), decl, expr)

/// TRY(auto node, decode_node(frame));  takes the value or returns the error. One per line.
/// TRY(save(record));                   the same for Result<void>.
#define TRY(...) POSTHORN_TRY_PICK_(__VA_ARGS__, POSTHORN_TRY2_, POSTHORN_TRY1_, )(__VA_ARGS__)
