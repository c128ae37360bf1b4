#include "daemon/care.h"

#include <sys/stat.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "daemon/backup_file.h"
#include "daemon/recent_log.h"
#include "daemon/restore.h"
#include "daemon/system_requests.h"
#include "posthorn/base/folder.h"
#include "posthorn/base/json.h"
#include "posthorn/base/log.h"
#include "posthorn/store/snapshot.h"

namespace posthorn::daemon {

namespace {

namespace fs = std::filesystem;

constexpr milliseconds kAnswerLeaves{500};
/// Below run_dir, by firmware/system/request.cpp.
constexpr const char* kUpdateStatus = "/update-status.json";
constexpr const char* kTwoBoxes =
    "Never run two boxes with the same backup: WhatsApp closes both sessions. Switch the old box "
    "off for good before this one goes online.";

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
  out.right = api::Right::care;
  out.handler = std::move(handler);
  return out;
}

Result<void> must_confirm(const api::Call& call, std::string_view word) {
  if (text_at(call, "confirm") == word) return {};
  return fail(Errc::malformed, "to make sure: \"confirm\" must be \"" + std::string(word) + "\"");
}

/// Tells one word of root's about an update from the next, though they be the same.
std::string which_word(const std::string& run_dir) {
  struct stat found {};
  if (stat((run_dir + kUpdateStatus).c_str(), &found) != 0) return "none";
  return std::to_string(found.st_ino) + " " + std::to_string(found.st_mtim.tv_sec) + "." +
         std::to_string(found.st_mtim.tv_nsec);
}

/// Empties the folder in which files grow: what a restart interrupted is of no use.
std::string fresh_incoming(const std::string& data_dir) {
  const std::string folder = data_dir + "/" + std::string(kIncomingFolder);
  mkdir(folder.c_str(), 0700);
  std::error_code error;
  for (const auto& entry : list_folder(folder, error)) {
    std::error_code ignored;
    fs::remove_all(entry, ignored);
  }
  return folder;
}

/// For a copy that is sealed into a second file beside it, and leaves what messages need.
std::uint64_t room_for_copy(const std::string& folder) {
  constexpr std::uint64_t kRoomLeft = std::uint64_t{32} << 20;
  std::error_code error;
  const fs::space_info room = fs::space(folder, error);
  if (error) return UINT64_MAX;
  return room.available > kRoomLeft ? (room.available - kRoomLeft) / 2 : 0;
}

/// copy: a path for what is sealed; it does not stay.
Result<void> back_up(const std::string& data_dir, const std::string& to, const std::string& copy,
                     const std::string& passphrase, ByteView salt, store::WithJournal journal) {
  const std::uint64_t room = room_for_copy(data_dir);
  Result<void> sealed = store::snapshot(data_dir + "/posthorn.db", copy, journal, room);
  if (!sealed && sealed.error().code == Errc::full) {
    const bool whole = journal == store::WithJournal::yes;
    sealed = fail(Errc::full,
                  "the disk has no room for a backup of more than " + std::to_string(room >> 20) +
                      " MB: " + (whole ? "make one without the journal" : "remove uploaded files"));
  }
  if (sealed) sealed = seal_file(copy, to, passphrase, salt);
  std::error_code error;
  fs::remove(copy, error);
  if (!sealed) fs::remove(to, error);
  return sealed;
}

Result<void> restore(const std::string& data_dir, const std::string& from, const std::string& copy,
                     const std::string& passphrase) {
  Result<void> opened = open_sealed_file(from, copy, passphrase);
  if (opened) opened = store::prepare_restored(copy);
  if (opened) opened = request_restore(data_dir, copy);
  std::error_code error;
  fs::remove(copy, error);
  return opened;
}

}  // namespace

Care::Care(Outside outside)
    : outside_(std::move(outside)),
      folder_(fresh_incoming(outside_.data_dir)),
      timer_(outside_.scheduler) {}

std::vector<api::Route> Care::routes() {
  using api::Needs;
  using api::Verb;
  const auto mine = [this](void (Care::*handler)(api::Call)) {
    return [this, handler](api::Call call) { (this->*handler)(std::move(call)); };
  };
  std::vector<api::Route> out;
  for (const Verb verb : {Verb::put, Verb::post}) {
    out.push_back(route("uploadUpdate", verb, Needs::nothing, {}));
    out.back().receive = [this](const api::Request& head) { return receive_update(head); };
    out.push_back(route("uploadBackup", verb, Needs::nothing, {}));
    out.back().receive = [this](const api::Request& head) { return receive(restore_, head); };
  }
  // What was uploaded, to be looked at again.
  out.push_back(route("uploadBackup", Verb::get, Needs::nothing,
                      [this](api::Call call) { send_kept(restore_, std::move(call)); }));
  out.push_back(route("installUpdate", Verb::post, Needs::body, mine(&Care::install_update)));
  out.push_back(route("getUpdateStatus", Verb::get, Needs::nothing, mine(&Care::update_status)));
  out.push_back(route("resetBox", Verb::post, Needs::body, mine(&Care::reset_box)));
  out.push_back(route("restartBox", Verb::post, Needs::body, mine(&Care::restart_box)));
  out.push_back(route("makeBackup", Verb::post, Needs::body, mine(&Care::make_backup)));
  out.push_back(route("readBackup", Verb::get, Needs::nothing, mine(&Care::read_backup)));
  out.push_back(route("restoreBackup", Verb::post, Needs::body, mine(&Care::restore_backup)));
  out.push_back(route("getSupportBundle", Verb::get, Needs::nothing, mine(&Care::support_bundle)));
  out.push_back(route("getLog", Verb::get, Needs::nothing, [](api::Call call) {
    json::Value answer(::Json::objectValue);
    answer["log"] = scrub(recent_log());
    call.send(answer);
  }));
  out.push_back(route("getBoardStatus", Verb::get, Needs::nothing,
                      [this](api::Call call) { call.send_text(outside_.board()); }));
  out.back().right = api::Right::send;  // temperature and the like: harmless
  return out;
}

Result<std::unique_ptr<api::BodySink>> Care::receive_update(const api::Request& head) {
  if (outside_.update_back_end() == "none") {
    return fail(Errc::unsupported,
                "this computer is updated by its package manager, not by a bundle");
  }
  return receive(update_, head);
}

Result<std::unique_ptr<api::BodySink>> Care::receive(std::optional<files::File>& place,
                                                     const api::Request& head) {
  return api::receive_file(
      outside_.files, head,
      [self = alive_.weak(), &place, path = head.path, now = outside_.clock.now()](
          Result<api::Upload> upload, api::Reply reply) mutable {
        api::Call call{{}, {}, {}, now, std::move(reply)};
        call.request.path = path;
        if (!upload) return refuse(call, upload.error());
        Care* me = self.get();
        if (me == nullptr) return refuse(call, Error{Errc::cancelled, "the box is restarting"});
        if (place && place->ref != upload->file.ref) (void)me->outside_.files.remove(place->ref);
        place = upload->file;
        json::Value out;
        out["received"] = static_cast<::Json::UInt64>(place->size);
        out["sha256"] = place->ref;
        call.send(out);
      });
}

/// The upload that a call is about: its size is named, so that nobody takes half a file, or
/// somebody else's, for his own.
Result<files::File> Care::uploaded(const std::optional<files::File>& place,
                                   const api::Call& call) const {
  const bool there = place && outside_.files.find(place->ref);
  const auto size = json::int_at(call.body, "size");
  if (there && size && *size > 0 && static_cast<std::uint64_t>(*size) == place->size) return *place;
  return fail(Errc::malformed, "\"size\" must be what was uploaded: " +
                                   std::to_string(there ? place->size : 0) + " bytes");
}

void Care::install_update(api::Call call) {
  const auto file = uploaded(update_, call);
  if (!file) return refuse(call, file.error());
  const auto path = outside_.files.hand_over(file->ref);
  if (!path) return refuse(call, path.error());
  update_.reset();
  told_before_ = which_word(outside_.run_dir);
  run_on<Result<void>>(
      outside_.worker,
      [data = outside_.data_dir, path = *path] { return ask_for_update(data, path); },
      [self = alive_.weak(), call = std::move(call)](Result<void> asked) mutable {
        if (Care* me = self.get(); me != nullptr && !asked) me->told_before_.reset();
        if (!asked) return refuse(call, asked.error());
        log::info("care", "an update was handed to the system");
        accept(call, "see getUpdateStatus; the box restarts by itself when it is installed");
      });
}

bool Care::update_waits() const {
  // After a restart of ours only the request itself tells of it; root takes it before it speaks.
  struct stat found {};
  const std::string request =
      outside_.data_dir + "/" + std::string(kRequestsFolder) + "/" + std::string(kUpdateRequest);
  return stat(request.c_str(), &found) == 0 ||
         (told_before_ && *told_before_ == which_word(outside_.run_dir));
}

void Care::update_status(api::Call call) {
  json::Value out(::Json::objectValue);
  out["state"] = "none";
  out["detail"] = "";
  std::ifstream file(outside_.run_dir + kUpdateStatus);
  std::ostringstream text;
  text << file.rdbuf();
  if (update_waits()) {
    // What is told there is about the update before.
    out["state"] = "requested";
  } else if (const auto told = json::parse(text.str())) {
    out["state"] = json::string_at(*told, "state").value_or("none");
    out["detail"] = json::string_at(*told, "detail").value_or("");
  }
  out["uploaded"] = static_cast<::Json::UInt64>(update_ ? update_->size : 0);
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
  if (const auto asked = outside_.reset(wish); !asked) return refuse(call, asked.error());
  log::warn("care", "a reset was asked for", {{"what", what}});
  // The network is the system's; the rest is done by our own next start.
  if (wish != board::Wish::reset_network) soon([this] { outside_.restart_daemon(); });
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
  const bool whole = json::bool_at(call.body, "journal").value_or(false);
  const auto journal = whole ? store::WithJournal::yes : store::WithJournal::no;
  busy_ = true;
  const files::Store::Part part = outside_.files.new_part();
  run_on<Result<void>>(
      outside_.worker,
      [data = outside_.data_dir, to = part.path, copy = folder_ + "/backup.db",
       passphrase = std::move(passphrase), salt = outside_.random.bytes(kBackupSalt),
       journal] { return back_up(data, to, copy, passphrase, salt, journal); },
      [self = alive_.weak(), part, call = std::move(call)](Result<void> sealed) mutable {
        Care* me = self.get();
        if (!sealed || me == nullptr) {
          if (me != nullptr) me->busy_ = false;
          return refuse(call,
                        sealed ? Error{Errc::cancelled, "the box is restarting"} : sealed.error());
        }
        me->keep_backup(part, std::move(call));
      });
}

void Care::keep_backup(const files::Store::Part& part, api::Call call) {
  outside_.files.adopt(
      part, [self = alive_.weak(), call = std::move(call)](Result<files::File> file) mutable {
        Care* me = self.get();
        if (me != nullptr) me->busy_ = false;
        if (!file) return refuse(call, file.error());
        if (me != nullptr) {
          // The one before has had its time.
          if (me->backup_) (void)me->outside_.files.remove(me->backup_->ref);
          me->backup_ = *file;
        }
        json::Value out;
        out["size"] = static_cast<::Json::UInt64>(file->size);
        out["sha256"] = file->ref;
        out["note"] = kTwoBoxes;
        call.send(out);
      });
}

void Care::read_backup(api::Call call) { send_kept(backup_, std::move(call)); }

void Care::send_kept(const std::optional<files::File>& place, api::Call call) {
  if (!place || !outside_.files.find(place->ref)) {
    return call.refuse(404, "there is no backup: makeBackup or uploadBackup first");
  }
  api::send_file(outside_.files, place->ref, call.request, "posthorn.backup",
                 std::move(call.reply));
}

void Care::restore_backup(api::Call call) {
  if (busy_) return call.refuse(409, "a backup is being worked on");
  if (const auto sure = must_confirm(call, "replace"); !sure) return refuse(call, sure.error());
  const auto file = uploaded(restore_, call);
  if (!file) return refuse(call, file.error());
  const auto path = outside_.files.path_of(file->ref);
  if (!path) return refuse(call, path.error());
  busy_ = true;
  std::string passphrase = text_at(call, "passphrase");
  run_on<Result<void>>(
      outside_.worker,
      [data = outside_.data_dir, from = *path, copy = folder_ + "/restore.db",
       passphrase = std::move(passphrase)] { return restore(data, from, copy, passphrase); },
      [self = alive_.weak(), call = std::move(call)](Result<void> restored) mutable {
        Care* me = self.get();
        if (me != nullptr) me->busy_ = false;
        if (!restored) return refuse(call, restored.error());
        log::warn("care", "a backup takes the database's place at the restart that follows");
        if (me != nullptr) {
          if (me->restore_) (void)me->outside_.files.remove(me->restore_->ref);
          me->restore_.reset();
          me->soon([me] { me->outside_.restart_daemon(); });
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
