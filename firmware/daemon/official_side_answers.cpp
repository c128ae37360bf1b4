#include <utility>

#include "daemon/official_side.h"
#include "posthorn/base/log.h"
#include "posthorn/base/user_id.h"
#include "posthorn/cloud/wamid.h"

// What answers, reactions and read marks name: messages of the official number, under the ids that
// the till has for them.
namespace posthorn::daemon {

namespace {

/// Only the linked account can.
bool changes_what_was_said(const Content& content) {
  return std::holds_alternative<content::Edit>(content.what) ||
         std::holds_alternative<content::Deletion>(content.what) ||
         std::holds_alternative<content::Timer>(content.what);
}

}  // namespace

Transport OfficialSide::wish_of(const Job& job) const {
  if (job.transport == "own") return Transport::own;
  if (job.transport == "official") return Transport::official;
  // Only the number that has the message can react to it.
  if (std::holds_alternative<content::Reaction>(job.content.what)) {
    return quotes_official(job) ? Transport::official : Transport::own;
  }
  if (changes_what_was_said(job.content)) return Transport::own;
  return job.transport == "auto" ? Transport::automatic : config_.transport;
}

bool OfficialSide::quotes_official(const Job& job) const {
  const std::string id = job.content.quote ? job.content.quote->id : "";
  return cloud::is_wamid(id) || transport_.is_ours(id);
}

/// What is Meta's name of a message of ours becomes the one that the till got.
void OfficialSide::name_targets(Content& content, const std::string& chat) const {
  const auto name = [this](std::string& id) {
    const auto known = transport_.known(id);
    if (known) id = known->id;
    return known.has_value();
  };
  if (content.quote && !name(content.quote->id)) {
    // Else it is one of theirs, as far as anybody knows.
    const auto heard = heard_.find(content.quote->id);
    if (heard && !heard->ends_with(kTypedThere)) content.quote->participant = chat;
  }
  if (auto* edit = std::get_if<content::Edit>(&content.what)) name(edit->target_id);
  if (auto* deletion = std::get_if<content::Deletion>(&content.what)) name(deletion->target_id);
}

std::optional<chat::EarlierMessage> OfficialSide::earlier(const std::string& chat,
                                                          const std::string& message_id) const {
  const std::string person = user_ids_.kept_as(chat);
  chat::EarlierMessage out;
  out.official = true;
  if (cloud::is_wamid(message_id)) {
    const auto heard = heard_.find(message_id);
    if (!heard) return std::nullopt;
    const std::string whose = heard->substr(0, heard->find(' '));
    // "1": noted by a release that did not say whose it is.
    if (whose != "1" && user_ids_.kept_as(whose) != person) return std::nullopt;
    out.from_me = heard->ends_with(kTypedThere);
    return out;
  }
  const std::string wamid = transport_.wamid_of(message_id);
  const auto known = wamid.empty() ? std::nullopt : transport_.known(wamid);
  if (!known || user_ids_.kept_as(known->chat) != person) return std::nullopt;
  out.from_me = true;
  return out;
}

void OfficialSide::on_inbound_elsewhere(const std::string& chat, Wall at) {
  if (transport_.is_set_up()) reads_.on_inbound_elsewhere(chat, at.unix_seconds());
}

bool OfficialSide::wrote_last(const std::string& chat) const {
  const std::string person = user_ids_.kept_as(chat);
  return transport_.is_set_up() && transport_.window_open(person) && reads_.is_last(person);
}

bool OfficialSide::has_unread(const std::string& chat) const {
  return transport_.is_set_up() && reads_.has_unread(user_ids_.kept_as(chat));
}

void OfficialSide::mark_read(const std::string& chat, const std::string& wamid,
                             cloud::Typing typing, Once<void(Result<std::size_t>)> done) {
  if (!transport_.is_set_up()) {
    return done(fail(Errc::malformed,
                     "the message came to an official number that is not set up any more: see "
                     "[cloud] in posthorn.toml"));
  }
  if (!transport_.works()) {
    return done(fail(Errc::disconnected,
                     "nothing goes out by the official number until somebody has seen to it: see "
                     "getOfficialStatus"));
  }
  reads_.mark(user_ids_.kept_as(chat), wamid, typing, std::move(done));
}

void OfficialSide::mark_on_arrival(const chat::Message& message) {
  if (out_.settings == nullptr || message.from_me) return;
  const api::Settings& settings = out_.settings->current();
  if (!settings.mark_incoming_messages_readed || settings.mark_incoming_messages_readed_on_reply) {
    return;
  }
  mark_read(message.chat, message.id, cloud::Typing::no, [](const Result<std::size_t>& marked) {
    if (!marked) log::warn("cloud", "a message is not marked", {{"error", marked.error()}});
  });
}

void OfficialSide::mark_on_reply(const std::string& chat) {
  if (out_.settings == nullptr || !has_unread(chat)) return;
  if (!out_.settings->current().mark_incoming_messages_readed_on_reply) return;
  mark_read(chat, "", cloud::Typing::no, [](const Result<std::size_t>&) {});
}

std::optional<std::string> OfficialSide::chat_of_user_id(const std::string& user_id) const {
  if (!transport_.is_set_up() || !user_ids_.knows(user_id)) return std::nullopt;
  return user_id + std::string(kUserIdChat);
}

}  // namespace posthorn::daemon
