#include "store/beside.h"

#include <algorithm>
#include <cstring>

#include "posthorn/base/crypto.h"
#include "posthorn/base/json.h"
#include "posthorn/base/log.h"

namespace posthorn::store {

namespace {

constexpr std::size_t kMarkBytes = 4096;
constexpr std::size_t kCopyBytes = 65'536;
constexpr unsigned kSyncMarkEvery = 64;
/// Ids that the server may have of prekeys which this database does not know any more.
constexpr std::int64_t kIdJump = 100'000;
constexpr std::int64_t kMaxId = 0xFFFFFF;

/// A number that no other database has: made once, from what SQLite draws.
Result<std::int64_t> draw(Database& database) {
  Statement statement(database, "SELECT abs(random() % 4611686018427387903) + 1");
  Query query = statement.query();
  TRY(query.next());
  return query.integer(0);
}

Bytes bytes_of(const json::Value& object, const char* key) {
  const auto bytes = base64_decode(json::string_at(object, key).value_or(""));
  return bytes ? *bytes : Bytes();
}

std::string text_of(const Query& query, int column) { return base64_encode(query.blob(column)); }

}  // namespace

Beside::Beside(Database& database, const char* vfs, std::vector<std::string> vital)
    : database_(database),
      vfs_(vfs),
      vital_(std::move(vital)),
      save_counter_(database,
                    "INSERT INTO counters VALUES (?1, ?2)"
                    " ON CONFLICT (name) DO UPDATE SET value = excluded.value") {}

Result<std::unique_ptr<Beside>> Beside::open(Database& database, const char* vfs,
                                             std::vector<std::string> vital) {
  std::unique_ptr<Beside> opened(new Beside(database, vfs, std::move(vital)));
  TRY(opened->files_->mark, TwoPlaces::open(database.path() + "-mark", vfs, kMarkBytes));
  TRY(opened->files_->copy, TwoPlaces::open(database.path() + "-keys", vfs, kCopyBytes));
  return opened;
}

bool Beside::is_vital(std::string_view name) const {
  return std::find(vital_.begin(), vital_.end(), name) != vital_.end();
}

Result<std::int64_t> Beside::counter(const char* name) {
  Statement find(database_, "SELECT value FROM counters WHERE name = ?1");
  Query query = find.query(name);
  TRY(const bool found, query.next());
  return found ? query.integer(0) : 0;
}

Beside::Number Beside::number_in(const TwoPlaces& file) {
  const auto value = file.found() ? json::parse(as_text(*file.found())) : json::Value();
  if (!value) return {};
  return {json::int_at(*value, "database").value_or(0), json::int_at(*value, "commit").value_or(0),
          json::int_at(*value, "wal").value_or(0), json::int_at(*value, "frames").value_or(0)};
}

/// What tells one WAL from the one before it: its two salts. 0: there is none yet.
Result<std::int64_t> Beside::wal_salts() {
  constexpr std::size_t kSaltsAt = 16;
  if (!wal_) {
    auto opened = VfsFile::open(database_.path() + "-wal", vfs_, VfsFile::When::there);
    if (!opened) return 0;
    wal_ = std::move(*opened);
  }
  std::int64_t salts = 0;
  TRY(const Bytes bytes, wal_->read(kSaltsAt, sizeof salts));
  if (bytes.size() == sizeof salts) std::memcpy(&salts, bytes.data(), sizeof salts);
  return salts;
}

/// Frames that SQLite has taken from the WAL. It does not say so, but a change of one page adds one
/// frame, and after a commit it says how many there are. Counting starts also shows that the disk
/// takes writes, and makes the WAL begin (its header, its entry in the folder) while nobody waits:
/// the first commit on the loop then needs no sync.
Result<std::int64_t> Beside::recovered_frames() {
  TRY(
      database_.execute("INSERT INTO counters VALUES ('starts', 1)"
                        " ON CONFLICT (name) DO UPDATE SET value = value + 1"));
  const std::int64_t frames = database_.wal_pages() - 1;
  TRY(starts_, counter("starts"));
  return frames;
}

/// The furthest that either file has seen.
Beside::Number Beside::marked() const {
  Number most;
  for (const auto* file : {files_->mark.get(), files_->copy.get()}) {
    const Number number = number_in(*file);
    if (most.database == 0 || (most.database == number.database && number.commit > most.commit)) {
      most = number;
    }
  }
  return most;
}

Result<Beside::Found> Beside::look() {
  TRY(number_.database, counter("database"));
  TRY(number_.commit, counter("commit"));
  const Number mark = marked();
  Found found;
  // A database with another name was put here on purpose (a backup), and is the truth from now on.
  // One without a name has forgotten it together with all the rest.
  const bool lost_all = mark.database != 0 && number_.database == 0;
  if (lost_all) number_.database = mark.database;
  const bool same = mark.database != 0 && mark.database == number_.database;
  found.stepped_back = same && number_.commit < mark.commit;
  // The file may hold the newest count and the WAL's first frames put older pages over others. No
  // frame at all is what a cut leaves that tears the header of a WAL that begins anew: all of it is
  // in the file then.
  TRY(const std::int64_t salts, wal_salts());
  TRY(const std::int64_t frames, recovered_frames());
  if (same && salts == mark.wal && frames > 0 && frames < mark.frames) found.stepped_back = true;
  if (number_.database == 0) {
    TRY(number_.database, draw(database_));
  }
  if (found.stepped_back) {
    log::error("store", "the database has lost its newest changes",
               {{"commit", number_.commit}, {"expected", mark.commit}});
    // Which vital values are older pages, nobody knows: the copy has the newest.
    found.restored = files_->copy->found().has_value();
    number_.commit = std::max(number_.commit, mark.commit);
  }
  TRY(Transaction transaction, database_.begin());
  if (found.stepped_back) TRY(mend(found.restored));
  TRY(save_counter_.run("database", number_.database));
  TRY(save_counter_.run("commit", number_.commit));
  TRY(transaction.commit());
  return found;
}

Result<void> Beside::mend(bool restore) {
  // Pages of different ages may stand side by side.
  {
    Statement check(database_, "PRAGMA integrity_check(1)");
    Query query = check.query();
    TRY(const bool answered, query.next());
    if (!answered || query.text(0) != "ok") {
      return fail(Errc::malformed, "what is left of a database that lost its newest changes");
    }
  }
  TRY(database_.execute("DELETE FROM sessions; DELETE FROM sender_keys"));
  if (restore) TRY(restore_copy());
  for (const char* name : {"pre_key", "signed_pre_key"}) {
    TRY(const std::int64_t next, counter(name));
    TRY(save_counter_.run(name, (next + kIdJump) % kMaxId + 1));
  }
  return {};
}

/// The copy's content; what its age is, is added when it is written.
Result<std::string> Beside::describe() {
  json::Value copy;
  {
    Statement find(database_, "SELECT public, private, registration_id FROM own_identity");
    Query query = find.query();
    TRY(const bool found, query.next());
    if (found) {
      copy["identity"]["public"] = text_of(query, 0);
      copy["identity"]["private"] = text_of(query, 1);
      copy["identity"]["registration_id"] = json::Value::Int64{query.integer(2)};
    }
  }
  Statement find_keys(database_,
                      "SELECT id, state, turn, public, private, signature, made_ms"
                      " FROM signed_pre_keys ORDER BY turn");
  Query keys = find_keys.query();
  for (;;) {
    TRY(const bool found, keys.next());
    if (!found) break;
    json::Value key;
    key["id"] = json::Value::Int64{keys.integer(0)};
    key["state"] = json::Value::Int64{keys.integer(1)};
    key["turn"] = json::Value::Int64{keys.integer(2)};
    key["public"] = text_of(keys, 3);
    key["private"] = text_of(keys, 4);
    key["signature"] = text_of(keys, 5);
    key["made_ms"] = json::Value::Int64{keys.integer(6)};
    copy["signed"].append(key);
  }
  Statement find_blob(database_, "SELECT value FROM blobs WHERE name = ?1");
  for (const std::string& name : vital_) {
    Query query = find_blob.query(name);
    TRY(const bool found, query.next());
    if (found) copy["values"][name] = text_of(query, 0);
  }
  for (const char* name : {"pre_key", "signed_pre_key"}) {
    TRY(const std::int64_t next, counter(name));
    copy["counters"][name] = json::Value::Int64{next};
  }
  return json::write(copy);
}

Result<void> Beside::restore_copy() {
  TRY(const json::Value copy, json::parse(as_text(*files_->copy->found())));
  TRY(database_.execute("DELETE FROM own_identity; DELETE FROM signed_pre_keys"));
  const json::Value& identity = json::at(copy, "identity");
  if (identity.isObject()) {
    Statement save(database_, "INSERT INTO own_identity VALUES (1, ?1, ?2, ?3)");
    TRY(save.run(bytes_of(identity, "public"), bytes_of(identity, "private"),
                 json::int_at(identity, "registration_id").value_or(0)));
  }
  Statement save_key(database_, "INSERT INTO signed_pre_keys VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  for (const json::Value& key : json::at(copy, "signed")) {
    TRY(save_key.run(json::int_at(key, "id").value_or(0), json::int_at(key, "state").value_or(0),
                     json::int_at(key, "turn").value_or(0), bytes_of(key, "public"),
                     bytes_of(key, "private"), bytes_of(key, "signature"),
                     json::int_at(key, "made_ms").value_or(0)));
  }
  Statement save_value(database_,
                       "INSERT INTO blobs VALUES (?1, ?2)"
                       " ON CONFLICT (name) DO UPDATE SET value = excluded.value");
  for (const std::string& name : vital_) {
    const json::Value& values = json::at(copy, "values");
    if (json::at(values, name.c_str()).isString()) {
      TRY(save_value.run(name, bytes_of(values, name.c_str())));
    }
  }
  for (const char* name : {"pre_key", "signed_pre_key"}) {
    const auto next = json::int_at(json::at(copy, "counters"), name);
    TRY(const std::int64_t known, counter(name));
    if (next && *next > known) TRY(save_counter_.run(name, *next));
  }
  return {};
}

Result<Beside::Job> Beside::before_sync() {
  ++number_.commit;
  TRY(save_counter_.run("commit", number_.commit));
  json::Value mark;
  mark["database"] = json::Value::Int64{number_.database};
  mark["commit"] = json::Value::Int64{number_.commit};
  if (database_.wal_pages() <= frames_ || salts_ == 0) {
    TRY(salts_, wal_salts());  // it has begun anew
  }
  frames_ = database_.wal_pages();
  mark["wal"] = json::Value::Int64{salts_};
  mark["frames"] = frames_;
  const auto last =
      syncs_++ % kSyncMarkEvery == 0 ? TwoPlaces::Last::on_disk : TwoPlaces::Last::with_the_system;
  std::string copy;
  if (copy_due_) {
    TRY(std::string content, describe());
    copy_due_ = false;
    if (content != copied_) {
      copied_ = content;
      TRY(json::Value value, json::parse(content));
      value["database"] = mark["database"];
      value["commit"] = mark["commit"];
      copy = json::write(value);
    }
  }
  return Job(
      [files = files_, mark = json::write(mark), copy = std::move(copy), last]() -> Result<void> {
        TRY(files->mark->write(as_bytes(mark), last));
        if (copy.empty()) return {};
        return files->copy->write(as_bytes(copy), TwoPlaces::Last::on_disk);
      });
}

}  // namespace posthorn::store
