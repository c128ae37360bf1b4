#pragma once

#include <optional>
#include <string>

#include "posthorn/base/alive.h"
#include "posthorn/base/blob_store.h"
#include "posthorn/base/bytes.h"
#include "posthorn/base/once.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/base/worker.h"

namespace posthorn::api {

/// The page's password. What is kept is PBKDF2-HMAC-SHA256 of it, made on the worker: half a second
/// on a small board.
class PagePassword {
 public:
  static constexpr std::size_t kShortest = 8;
  static constexpr std::size_t kLongest = 128;

  struct Outside {
    BlobStore& blobs;
    Worker& worker;
    Random& random;
    std::uint32_t rounds;
  };
  /// fixed: the configuration's, which cannot be changed here; "": none.
  PagePassword(Outside outside, std::string fixed);

  [[nodiscard]] bool is_set() const { return is_fixed() || kept_.has_value(); }
  [[nodiscard]] bool is_fixed() const { return !fixed_.empty(); }

  /// done: whether it is the password; later, and after the same time whatever is wrong with it.
  void check(std::string given, Once<void(bool)> done);
  /// done: on disk, and in force. Errors: malformed (length), refused (fixed), io.
  void set(std::string wanted, Once<void(Result<void>)> done);

 private:
  struct Kept {
    Bytes salt;
    std::uint32_t rounds = 0;
    Bytes hash;
  };
  void load();
  void keep(Kept kept, Once<void(Result<void>)> done);

  Outside outside_;
  std::string fixed_;
  std::optional<Kept> kept_;
  Alive<PagePassword> alive_{this};
};

}  // namespace posthorn::api
