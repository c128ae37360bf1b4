#include "daemon/care.h"

#include <sys/stat.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "daemon/backup_file.h"
#include "daemon/restore.h"
#include "daemon/system_requests.h"
#include "posthorn/base/json.h"
#include "posthorn/base/log.h"
#include "posthorn/store/snapshot.h"

namespace posthorn::daemon {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kUpdateAtMost = 512 * kMiB;
constexpr std::uint64_t kBackupAtMost = 256 * kMiB;
/// Free space that only messages may use.
constexpr std::uint64_t kRoomLeft = 32 * kMiB;
constexpr std::size_t kPieceAtMost = std::size_t{1} << 20;
constexpr std::size_t kReadAtOnce = std::size_t{256} << 10;
constexpr milliseconds kAnswerLeaves{500};
constexpr const char* kTwoBoxes =
    "Never run two boxes with the same backup: WhatsApp closes both sessions. Switch the old box "
    "off for good before this one goes online.";

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string text_at(const api::Call& call, const char* key) {
  return json::string_at(call.body, key).value_or("");
}

int status_of(const Error& error) {
  switch (error.code) {
    case Errc::full:
      return 507;
    case Errc::busy:
      return 409;
    case Errc::io:
      return 500;
    default:
      return 400;
  }
}

void refuse(api::Call& call, const Error& error) { call.refuse(status_of(error), error.detail); }

void accept(api::Call& call, const char* note = nullptr) {
  json::Value out;
  out["accepted"] = true;
  if (note != nullptr) out["note"] = note;
  call.send(out);
}

void send_bytes(api::Call& call, std::string body, const char* type) {
  call.reply.send({.body = std::move(body), .content_type = type, .headers = {}});
}

api::Route route(const char* name, api::Verb verb, api::Needs needs,
                 std::function<void(api::Call)> handler) {
  api::Route out;
  out.name = name;
  out.verb = verb;
  out.per_second = 5;
  out.needs = needs;
  out.handler = std::move(handler);
  return out;
}

/// One piece of a file: a body of bytes, not of JSON.
api::Route piece_route(const char* name, std::function<void(api::Call)> handler) {
  api::Route out = route(name, api::Verb::post, api::Needs::nothing, std::move(handler));
  out.per_second = 100;
  out.body_limit = kPieceAtMost;
  return out;
}

Result<void> must_confirm(const api::Call& call, std::string_view word) {
  if (text_at(call, "confirm") == word) return {};
  return fail(Errc::malformed, "to make sure: \"confirm\" must be \"" + std::string(word) + "\"");
}

/// Empties the folder in which files grow: what a restart interrupted is of no use.
std::string fresh_incoming(const std::string& data_dir) {
  const std::string folder = data_dir + "/" + std::string(kIncomingFolder);
  mkdir(folder.c_str(), 0700);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    std::error_code ignored;
    fs::remove_all(entry.path(), ignored);
  }
  return folder;
}

Result<std::uint64_t> back_up(const std::string& data_dir, const std::string& to,
                              const std::string& passphrase, ByteView salt) {
  const std::string copy = to + ".db";
  Result<void> sealed = store::snapshot(data_dir + "/posthorn.db", copy);
  if (sealed) sealed = seal_file(copy, to, passphrase, salt);
  std::error_code error;
  fs::remove(copy, error);
  if (!sealed) return tl::unexpected(sealed.error());
  return fs::file_size(to, error);
}

Result<void> restore(const std::string& data_dir, const std::string& from,
                     const std::string& passphrase) {
  const std::string copy = from + ".db";
  Result<void> opened = open_sealed_file(from, copy, passphrase);
  if (opened) opened = store::prepare_restored(copy);
  if (opened) opened = request_restore(data_dir, copy);
  std::error_code error;
  fs::remove(copy, error);
  if (opened) fs::remove(from, error);
  return opened;
}

}  // namespace

Care::Care(Outside outside)
    : outside_(std::move(outside)),
      update_(outside_.worker, fresh_incoming(outside_.data_dir) + "/update", kUpdateAtMost,
              kRoomLeft),
      backup_(outside_.worker, outside_.data_dir + "/incoming/backup", kBackupAtMost, kRoomLeft),
      restore_(outside_.worker, outside_.data_dir + "/incoming/restore", kBackupAtMost, kRoomLeft),
      timer_(outside_.scheduler) {}

Care::~Care() { *alive_ = false; }

std::vector<api::Route> Care::routes() {
  using api::Needs;
  using api::Verb;
  const auto mine = [this](void (Care::*handler)(api::Call)) {
    return [this, handler](api::Call call) { (this->*handler)(std::move(call)); };
  };
  std::vector<api::Route> out;
  out.push_back(piece_route("uploadUpdate", [this](api::Call call) {
    if (outside_.update_back_end() == "none") {
      return call.refuse(400, "this computer is updated by its package manager, not by a bundle");
    }
    add_piece(update_, std::move(call));
  }));
  out.push_back(piece_route("uploadBackup",
                            [this](api::Call call) { add_piece(restore_, std::move(call)); }));
  out.push_back(route("installUpdate", Verb::post, Needs::body, mine(&Care::install_update)));
  out.push_back(route("getUpdateStatus", Verb::get, Needs::nothing, mine(&Care::update_status)));
  out.push_back(route("resetBox", Verb::post, Needs::body, mine(&Care::reset_box)));
  out.push_back(route("restartBox", Verb::post, Needs::body, mine(&Care::restart_box)));
  out.push_back(route("makeBackup", Verb::post, Needs::body, mine(&Care::make_backup)));
  out.push_back(route("readBackup", Verb::get, Needs::nothing, mine(&Care::read_backup)));
  out.back().per_second = 100;
  out.push_back(route("restoreBackup", Verb::post, Needs::body, mine(&Care::restore_backup)));
  out.push_back(route("getSupportBundle", Verb::get, Needs::nothing, mine(&Care::support_bundle)));
  out.push_back(route("getBoardStatus", Verb::get, Needs::nothing,
                      [this](api::Call call) { call.send_text(outside_.board()); }));
  return out;
}

void Care::add_piece(PieceFile& file, api::Call call) {
  const auto offset = number_of(call.request.query_value("offset"));
  if (!offset || call.request.body.empty()) {
    return call.refuse(400, "give the piece as body and where it belongs as ?offset=");
  }
  std::string piece = std::move(call.request.body);
  file.add(*offset, std::move(piece),
           [call = std::move(call)](Result<std::uint64_t> received) mutable {
             if (!received) return refuse(call, received.error());
             json::Value out;
             out["received"] = static_cast<::Json::UInt64>(*received);
             call.send(out);
           });
}

void Care::install_update(api::Call call) {
  const auto size = json::int_at(call.body, "size");
  if (!size || static_cast<std::uint64_t>(*size) != update_.received() || *size == 0) {
    return call.refuse(400, "\"size\" must be what was uploaded: " +
                                std::to_string(update_.received()) + " bytes");
  }
  run_on<Result<void>>(
      outside_.worker,
      [data = outside_.data_dir, path = update_.path()]() -> Result<void> {
        TRY(sync_file(path));
        return ask_for_update(data, path);
      },
      [this, alive = alive_, call = std::move(call)](Result<void> asked) mutable {
        if (!asked) return refuse(call, asked.error());
        if (*alive) update_.forget();
        log::info("care", "an update was handed to the system");
        accept(call, "see getUpdateStatus; the box restarts by itself when it is installed");
      });
}

void Care::update_status(api::Call call) {
  json::Value out(::Json::objectValue);
  out["state"] = "none";
  out["detail"] = "";
  std::ifstream file(outside_.run_dir + "/update-status.json");
  std::ostringstream text;
  text << file.rdbuf();
  if (const auto told = json::parse(text.str())) {
    out["state"] = json::string_at(*told, "state").value_or("none");
    out["detail"] = json::string_at(*told, "detail").value_or("");
  }
  out["uploaded"] = static_cast<::Json::UInt64>(update_.received());
  out["version"] = POSTHORN_VERSION;
  out["backEnd"] = outside_.update_back_end();
  call.send(out);
}

void Care::reset_box(api::Call call) {
  const std::string what = text_at(call, "what");
  board::Wish wish = board::Wish::show_yourself;
  if (what == "network") wish = board::Wish::reset_network;
  if (what == "settings") wish = board::Wish::reset_settings;
  if (what == "everything") wish = board::Wish::reset_all;
  if (wish == board::Wish::show_yourself) {
    return call.refuse(400, "\"what\" must be network, settings or everything");
  }
  if (const auto sure = must_confirm(call, what); !sure) return refuse(call, sure.error());
  soon([this, wish] { outside_.reset(wish); });
  accept(call);
}

void Care::restart_box(api::Call call) {
  if (const auto sure = must_confirm(call, "restart"); !sure) return refuse(call, sure.error());
  if (const auto asked = ask_system(outside_.data_dir, "reboot"); !asked) {
    return refuse(call, asked.error());
  }
  accept(call);
}

void Care::make_backup(api::Call call) {
  if (busy_) return call.refuse(409, "a backup is being worked on");
  std::string passphrase = text_at(call, "passphrase");
  if (passphrase.size() < kPassphraseAtLeast) {
    return call.refuse(400, "\"passphrase\" needs at least 8 characters");
  }
  busy_ = true;
  run_on<Result<std::uint64_t>>(
      outside_.worker,
      [data = outside_.data_dir, to = backup_.path(), passphrase = std::move(passphrase),
       salt = outside_.random.bytes(kBackupSalt)] { return back_up(data, to, passphrase, salt); },
      [this, alive = alive_, call = std::move(call)](Result<std::uint64_t> size) mutable {
        if (*alive) busy_ = false;
        if (!size) return refuse(call, size.error());
        json::Value out;
        out["size"] = static_cast<::Json::UInt64>(*size);
        out["note"] = kTwoBoxes;
        call.send(out);
      });
}

void Care::read_backup(api::Call call) {
  const auto offset = number_of(call.request.query_value("offset"));
  if (!offset) return call.refuse(400, "?offset= says from where");
  backup_.read(*offset, kReadAtOnce,
               [this, alive = alive_, call = std::move(call)](Result<std::string> piece) mutable {
                 if (!piece) return call.refuse(404, "there is no backup: makeBackup first");
                 // Read to its end, it has done its work.
                 if (piece->empty() && *alive) backup_.forget();
                 send_bytes(call, std::move(*piece), "application/octet-stream");
               });
}

void Care::restore_backup(api::Call call) {
  if (busy_) return call.refuse(409, "a backup is being worked on");
  if (const auto sure = must_confirm(call, "replace"); !sure) return refuse(call, sure.error());
  const auto size = json::int_at(call.body, "size");
  if (!size || static_cast<std::uint64_t>(*size) != restore_.received() || *size == 0) {
    return call.refuse(400, "\"size\" must be what was uploaded: " +
                                std::to_string(restore_.received()) + " bytes");
  }
  busy_ = true;
  std::string passphrase = text_at(call, "passphrase");
  run_on<Result<void>>(
      outside_.worker,
      [data = outside_.data_dir, from = restore_.path(), passphrase = std::move(passphrase)] {
        return restore(data, from, passphrase);
      },
      [this, alive = alive_, call = std::move(call)](Result<void> restored) mutable {
        if (*alive) busy_ = false;
        if (!restored) return refuse(call, restored.error());
        log::warn("care", "a backup takes the database's place at the restart that follows");
        if (*alive) {
          restore_.forget();
          soon([this] { outside_.restart_daemon(); });
        }
        accept(call, kTwoBoxes);
      });
}

void Care::support_bundle(api::Call call) {
  const auto bundle = make_tar_gz(outside_.texts(), outside_.clock.now());
  if (!bundle) return refuse(call, bundle.error());
  send_bytes(call, *bundle, "application/gzip");
}

void Care::soon(std::function<void()> what) { timer_.start(kAnswerLeaves, std::move(what)); }

}  // namespace posthorn::daemon
