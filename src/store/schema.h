#pragma once

namespace posthorn::store {

/// Our own tables; append only, a release that is out never changes.
/// Sessions and sender keys have a rowid: beside a key in an index page a record of more than 488
/// bytes would spill onto a page of its own.
inline constexpr const char* kSchema[] = {
    R"(
CREATE TABLE blobs (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE own_identity (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  public BLOB NOT NULL, private BLOB NOT NULL, registration_id INTEGER NOT NULL);
CREATE TABLE pre_keys (
  id INTEGER PRIMARY KEY,
  public BLOB NOT NULL, private BLOB NOT NULL, offered INTEGER NOT NULL);
CREATE TABLE signed_pre_keys (
  id INTEGER PRIMARY KEY,
  state INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  public BLOB NOT NULL, private BLOB NOT NULL, signature BLOB NOT NULL, made_ms INTEGER NOT NULL);
CREATE TABLE sessions (
  name TEXT NOT NULL, device INTEGER NOT NULL, record BLOB NOT NULL,
  PRIMARY KEY (name, device));
CREATE TABLE peer_identities (
  name TEXT NOT NULL, device INTEGER NOT NULL, key BLOB NOT NULL,
  PRIMARY KEY (name, device)) WITHOUT ROWID;
CREATE TABLE sender_keys (
  name TEXT NOT NULL, device INTEGER NOT NULL, group_id TEXT NOT NULL, record BLOB NOT NULL,
  PRIMARY KEY (name, device, group_id));
)",
};

}  // namespace posthorn::store
