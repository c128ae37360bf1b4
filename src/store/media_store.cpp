#include "posthorn/store/media_store.h"

namespace posthorn::store {
namespace {

constexpr const char* kSteps[] = {
    "CREATE TABLE media_uploads (n INTEGER PRIMARY KEY, ref TEXT NOT NULL, kind TEXT NOT NULL,"
    " direct_path TEXT NOT NULL, url TEXT NOT NULL, key BLOB NOT NULL, sha256 BLOB NOT NULL,"
    " enc_sha256 BLOB NOT NULL, key_at INTEGER NOT NULL, mac BLOB NOT NULL,"
    " at_ms INTEGER NOT NULL, UNIQUE (ref, kind));"
    "CREATE TABLE media_received (n INTEGER PRIMARY KEY, ref TEXT NOT NULL,"
    " kind INTEGER NOT NULL, mime TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,"
    " direct_path TEXT NOT NULL, url TEXT NOT NULL, key BLOB NOT NULL, sha256 BLOB NOT NULL,"
    " enc_sha256 BLOB NOT NULL, key_at INTEGER NOT NULL, chat TEXT NOT NULL,"
    " sender TEXT NOT NULL, message TEXT NOT NULL, from_me INTEGER NOT NULL, UNIQUE (ref, message, "
    "chat));",
};

/// The six columns of a place, from that one on.
content::MediaPlace place_at(Query& query, int column) {
  content::MediaPlace place;
  place.direct_path = query.text(column);
  place.url = query.text(column + 1);
  place.key = to_bytes(query.blob(column + 2));
  place.sha256 = to_bytes(query.blob(column + 3));
  place.enc_sha256 = to_bytes(query.blob(column + 4));
  place.key_at = query.integer(column + 5);
  return place;
}

}  // namespace

Result<std::unique_ptr<MediaStore>> MediaStore::open(Database& database) {
  TRY(database.migrate("media", kSteps));
  return std::unique_ptr<MediaStore>(new MediaStore(database));
}

Result<std::optional<MediaStore::Upload>> MediaStore::upload(std::string_view ref,
                                                             std::string_view group) {
  Query query = find_upload_.query(ref, group);
  TRY(const bool found, query.next());
  if (!found) return std::optional<Upload>();
  Upload upload;
  upload.place = place_at(query, 0);
  upload.mac = to_bytes(query.blob(6));
  upload.at = Wall{milliseconds(query.integer(7)), true};
  return std::optional(std::move(upload));
}

Result<void> MediaStore::save_upload(std::string_view ref, std::string_view group,
                                     const Upload& upload) {
  const content::MediaPlace& place = upload.place;
  TRY(save_upload_.run(ref, group, place.direct_path, place.url, ByteView(place.key),
                       ByteView(place.sha256), ByteView(place.enc_sha256), place.key_at,
                       ByteView(upload.mac), upload.at.since_epoch.count()));
  return prune_uploads_.run(kMostUploads);
}

Result<void> MediaStore::drop_upload(std::string_view ref, std::string_view group) {
  return drop_upload_.run(ref, group);
}

Result<void> MediaStore::save_received(const Received& received) {
  const content::File& file = received.file;
  const content::MediaPlace place = file.place.value_or(content::MediaPlace{});
  TRY(save_received_.run(file.ref, static_cast<std::int64_t>(file.kind), file.mime, file.name,
                         static_cast<std::int64_t>(file.size), place.direct_path, place.url,
                         ByteView(place.key), ByteView(place.sha256), ByteView(place.enc_sha256),
                         place.key_at, received.chat, received.sender, received.message_id,
                         static_cast<std::int64_t>(received.from_me)));
  return prune_received_.run(kMostReceived);
}

Result<std::vector<MediaStore::Received>> MediaStore::received(std::string_view ref) {
  std::vector<Received> found;
  Query query = find_received_.query(ref);
  for (;;) {
    TRY(const bool more, query.next());
    if (!more) return found;
    Received& received = found.emplace_back();
    received.file.ref = ref;
    received.file.kind = static_cast<content::File::Kind>(query.integer(0));
    received.file.mime = query.text(1);
    received.file.name = query.text(2);
    received.file.size = static_cast<std::uint64_t>(query.integer(3));
    received.file.place = place_at(query, 4);
    received.chat = query.text(10);
    received.sender = query.text(11);
    received.message_id = query.text(12);
    received.from_me = query.integer(13) != 0;
  }
}

Result<void> MediaStore::move_received(std::string_view ref, std::string_view message_id,
                                       std::string_view direct_path) {
  return move_received_.run(ref, message_id, direct_path);
}

Result<void> MediaStore::clear() {
  TRY(clear_uploads_.run());
  return clear_received_.run();
}

}  // namespace posthorn::store
