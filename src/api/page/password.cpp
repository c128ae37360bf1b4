#include "api/page/password.h"

#include "posthorn/base/crypto.h"
#include "posthorn/base/json.h"
#include "posthorn/base/log.h"

namespace posthorn::api {

namespace {

constexpr std::string_view kBlob = "page/password";
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
/// A backup from elsewhere must not keep the box busy.
constexpr std::uint32_t kRoundsAtMost = 5'000'000;

}  // namespace

PagePassword::PagePassword(Outside outside, std::string fixed)
    : outside_(outside), fixed_(std::move(fixed)) {
  load();
}

void PagePassword::load() {
  const auto blob = outside_.blobs.load(kBlob);
  if (!blob || !*blob) return;
  const auto value = json::parse(as_text(**blob));
  const auto rounds = value ? json::int_at(*value, "rounds").value_or(0) : 0;
  const auto salt = value ? hex_decode(json::string_at(*value, "salt").value_or("")) : std::nullopt;
  const auto hash = value ? hex_decode(json::string_at(*value, "hash").value_or("")) : std::nullopt;
  if (rounds <= 0 || rounds > kRoundsAtMost || !salt || !hash || hash->size() != kHashBytes) {
    return log::error("api", "the page's password cannot be read; a new one is to be set");
  }
  kept_ = Kept{*salt, static_cast<std::uint32_t>(rounds), *hash};
}

void PagePassword::check(std::string given, Once<void(bool)> done) {
  // Without anything kept the work is done all the same, so that its time tells nothing.
  const Kept against = kept_.value_or(Kept{Bytes(kSaltBytes), outside_.rounds, {}});
  const bool fixed =
      is_fixed() && equal_constant_time(as_bytes(given), as_bytes(std::string_view(fixed_)));
  run_on<Bytes>(
      outside_.worker,
      [given = std::move(given), against] {
        return crypto::pbkdf2_sha256(as_bytes(std::string_view(given)), against.salt,
                                     against.rounds, kHashBytes);
      },
      [this, self = alive_.weak(), fixed, hash = against.hash,
       done = std::move(done)](const Bytes& made) mutable {
        const bool only_fixed = self.get() == nullptr || is_fixed();
        done(only_fixed ? fixed : !hash.empty() && equal_constant_time(made, hash));
      });
}

void PagePassword::set(std::string wanted, Once<void(Result<void>)> done) {
  if (is_fixed()) {
    return done(fail(Errc::refused,
                     "the password stands in posthorn.txt on the card (page_password) or in "
                     "posthorn.toml, and is changed there"));
  }
  if (wanted.size() < kShortest || wanted.size() > kLongest) {
    return done(fail(Errc::malformed, "the password must have 8 to 128 characters"));
  }
  Bytes salt = outside_.random.bytes(kSaltBytes);
  run_on<Bytes>(
      outside_.worker,
      [wanted = std::move(wanted), salt, rounds = outside_.rounds] {
        return crypto::pbkdf2_sha256(as_bytes(std::string_view(wanted)), salt, rounds, kHashBytes);
      },
      [self = alive_.weak(), salt, done = std::move(done)](Bytes hash) mutable {
        PagePassword* me = self.get();
        if (me == nullptr || hash.size() != kHashBytes) {
          return done(fail(Errc::io, "the password was not stored; try again"));
        }
        me->keep({std::move(salt), me->outside_.rounds, std::move(hash)}, std::move(done));
      });
}

void PagePassword::keep(Kept kept, Once<void(Result<void>)> done) {
  json::Value value(::Json::objectValue);
  value["salt"] = hex_encode(kept.salt);
  value["rounds"] = kept.rounds;
  value["hash"] = hex_encode(kept.hash);
  if (auto saved = outside_.blobs.save(kBlob, as_bytes(json::write(value))); !saved) {
    return done(std::move(saved));
  }
  kept_ = std::move(kept);
  outside_.blobs.durable(std::move(done));
}

}  // namespace posthorn::api
