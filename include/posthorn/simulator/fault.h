#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "posthorn/base/json.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/wire/node.h"

namespace posthorn::simulator {

/// One rule of misbehaviour: which stanza, what happens to it, how often.
/// Source: protocol chapter 13 B14.
struct Fault {
  enum class Where : std::uint8_t {
    in,     ///< from a client to the server, after decryption
    out,    ///< from the server to a client, before encryption
    login,  ///< a client payload with credentials; action failure, close, deaf
  };
  enum class Action : std::uint8_t {
    lose,          ///< in: not handled, no answer; out: never sent (lost ack, silence)
    delay,         ///< handled or sent `after` later; what follows it overtakes
    duplicate,     ///< handled or sent twice
    swap,          ///< out: sent after the next stanza
    close,         ///< the connection breaks; in: before handling
    close_after,   ///< handled or sent, then the connection breaks
    cut,           ///< out: `bytes` bytes of its frame are sent, then the connection breaks
    error,         ///< in: message -> ack error `code`; iq -> error `code` with `text`, `backoff`
    answer,        ///< in: an iq gets a result with `answer` as its children
    failure,       ///< login: <failure reason=code code=sub_code expire=expire>
    stream_error,  ///< in: <stream:error code>, close; text "replaced", "device_removed": with
                   ///< <conflict type=text>; any other text: with a child of that tag
    corrupt,       ///< out: one ciphertext byte flipped
    length,        ///< out: frame announced with `bytes` as its length
    truncate,      ///< out: node without its last byte
    garbage,       ///< out: node of an unknown token
    bad_deflate,   ///< out: flagged as compressed, but not
    trickle,       ///< out: one byte per `after` from here on
    deaf,          ///< from here on nothing is handled or sent; TCP stays open
    bad_skey,      ///< out: prekey answer with a wrong signed-prekey signature
    no_prekey,     ///< out: prekey answer without one-time keys
  };

  Where where = Where::in;
  Action action = Action::lose;
  // What it applies to; empty matches everything.
  std::string device;  ///< PN or LID JID with device, or a phone number for all its devices
  std::string tag;     ///< "message", "ack", "iq" …
  std::string xmlns;
  std::string child;  ///< a child of that tag is there
  std::string type;   ///< attribute type
  std::string id;
  std::string to;           ///< attribute to names this user (phone, PN or LID)
  std::string cls;          ///< attribute class (acks)
  std::uint32_t skip = 0;   ///< lets this many pass first
  std::uint32_t count = 1;  ///< then acts this often; 0: for ever
  std::uint32_t percent = 100;
  // Details of the action.
  int code = 0;
  int sub_code = 0;
  std::int64_t expire = 0;
  std::int64_t backoff = 0;
  std::string text;
  std::vector<wire::Node> answer;
  milliseconds after{0};
  std::size_t bytes = 0;
};

/// The control interface's form, member names as above ("action": "lose"); unknown members and
/// words are malformed and the error says which words exist.
[[nodiscard]] Result<Fault> parse_fault(const json::Value& value);

}  // namespace posthorn::simulator
