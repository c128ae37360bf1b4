#include <charconv>

#include "api/fields.h"
#include "api/handlers.h"
#include "api/picture_form.h"
#include "api/utf8.h"
#include "posthorn/base/function.h"

/// People and chats as lists and one by one, and the owner's address book.
namespace posthorn::api {

namespace {

constexpr std::size_t kMostRows = 100'000;
constexpr std::size_t kUsualChats = 1000;

/// ?count=, absent or no number: all, or as many as usual.
std::size_t asked_count(const Call& call, std::size_t usual) {
  const std::string_view text = call.request.query_value("count");
  std::size_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return text.empty() || error != std::errc() ? usual : std::min(count, kMostRows);
}

const char* type_of(std::string_view chat) { return chat.ends_with("@g.us") ? "group" : "user"; }

/// A list that is written row by row: as values of a JSON library it would take ten times as much.
class RowWriter {
 public:
  void add(const json::Value& row) {
    text_ += text_.size() == 1 ? "" : ",";
    text_ += json::write(row);
  }
  [[nodiscard]] std::string take() { return std::move(text_) + "]"; }

 private:
  std::string text_ = "[";
};

json::Value show(const chat::ChatDetails& details, const Clock& clock) {
  json::Value out(::Json::objectValue);
  out["avatar"] = details.picture.url;
  out["name"] = details.name;
  out["contactName"] = details.contact;
  out["email"] = details.business ? details.business->email : "";
  out["category"] = details.business ? details.business->category : "";
  out["description"] = details.business ? details.business->description : "";
  out["products"] = json::Value(::Json::arrayValue);
  out["chatId"] = details.chat;
  out["lastSeen"] = json::Value();
  out["isArchive"] = details.archived;
  out["isDisappearing"] = details.timer > 0;
  out["messageExpiration"] = json::Value::Int64(details.timer);
  out["isMute"] = details.muted_until.has_value();
  const auto for_years = [&] { return *details.muted_until - clock.now() > hours(24 * 365 * 10); };
  out["muteExpiration"] = details.muted_until && !for_years()
                              ? json::Value(json::Value::Int64(details.muted_until->unix_seconds()))
                              : json::Value();
  out["isBusiness"] = details.business.has_value();
  // Ours; the contract has neither.
  if (!details.about.empty()) out["about"] = details.about;
  if (details.blocked) out["isBlocked"] = true;
  if (!details.labels.empty()) {
    for (const std::string& label : details.labels) out["labels"].append(label);
  }
  return out;
}

/// Answers a change of app state with the body of its method.
chat::ChatState::Done answered(Call call, const char* member) {
  return [call = std::move(call), member](Result<void> done) mutable {
    if (!done && member == nullptr) return call.refuse(done.error());
    if (member == nullptr) return call.send_text("");
    json::Value out(::Json::objectValue);
    out[member] = done.has_value();
    if (!done) out["message"] = done.error().detail;
    call.send(out);
  };
}

constexpr const char* kLate = "get avatar timeout limit exceeded";

bool is_late(const Error& error) { return error.code == Errc::timeout || error.code == Errc::busy; }

using OnAvatar = Function<void(const Result<chat::Picture>& picture, bool exists)>;

/// Of a number without an account WhatsApp says the same as of one without a picture.
void find_avatar(Context& context, const std::string& chat, OnAvatar done) {
  context.outside.contacts.picture(
      chat, [shared = context.shared_from_this(), chat,
             done = std::move(done)](Result<chat::Picture> picture) mutable {
        const bool unsure = picture && picture->url.empty() && !picture->hidden;
        if (!unsure || !chat.ends_with("@c.us")) return done(picture, true);
        shared->outside.people.check_numbers(
            {chat.substr(0, chat.find('@'))},
            [picture = std::move(picture), done = std::move(done)](
                const Result<std::vector<chat::NumberStatus>>& numbers) mutable {
              const bool none = numbers && !numbers->empty() && !numbers->front().exists;
              done(picture, !none);
            });
      });
}

/// picture: an error is one of time.
void send_avatar(Call& call, const Result<chat::Picture>& picture, bool exists) {
  json::Value out(::Json::objectValue);
  out["existsWhatsapp"] = exists;
  out["urlAvatar"] = picture ? picture->url : "";
  out["available"] = picture && !picture->url.empty();
  out["reason"] = picture ? json::Value() : json::Value(kLate);
  call.send(out);
}

void save(Context& context, Call call, const char* member) {
  const auto chat = required_chat(call.body);
  if (!chat) return call.refuse(chat.error());
  const auto first = required_text(call.body, "firstName");
  if (!first) return call.refuse(first.error());
  const auto last = optional_text(call.body, "lastName");
  if (!last) return call.refuse(last.error());
  const auto book = optional_bool(call.body, "saveInAddressbook");
  if (!book) return call.refuse(book.error());
  constexpr std::size_t kMostName = 100;
  if (first->size() > kMostName || last->value_or("").size() > kMostName) {
    return call.refuse(400, "Validation failed. Details: a name is longer than 100 bytes");
  }
  context.outside.chat_state.save_contact(*chat, *first, last->value_or(""), book->value_or(true),
                                          answered(std::move(call), member));
}

void archive(Context& context, Call call, bool on) {
  const auto chat = required_chat(call.body);
  if (!chat) return call.refuse(chat.error());
  context.outside.chat_state.archive(*chat, on, answered(std::move(call), nullptr));
}

}  // namespace

void get_contacts(Context& context, Call call) {
  const std::string_view group = call.request.query_value("group");
  const std::size_t most = asked_count(call, kMostRows);
  std::size_t count = 0;
  RowWriter rows;
  const auto listed = context.outside.contacts.each([&](const chat::ListedChat& one) {
    const bool is_group = one.chat.ends_with("@g.us");
    if ((group == "true" && !is_group) || (group == "false" && is_group) || count >= most) return;
    ++count;
    json::Value row(::Json::objectValue);
    row["id"] = std::string(one.chat);
    row["name"] = std::string(one.name);
    row["contactName"] = std::string(one.contact);
    row["type"] = type_of(one.chat);
    rows.add(row);
  });
  if (!listed) return call.refuse(listed.error());
  call.send_text(rows.take());
}

void get_chats(Context& context, Call call) {
  RowWriter rows;
  const auto listed = context.outside.contacts.each_chat(
      asked_count(call, kUsualChats), [&](const chat::ListedChat& one) {
        json::Value row(::Json::objectValue);
        row["id"] = std::string(one.chat);
        row["name"] = std::string(one.contact.empty() ? one.name : one.contact);
        row["type"] = type_of(one.chat);
        row["archive"] = one.archived;
        row["ephemeralExpiration"] = json::Value::Int64(one.timer);
        row["ephemeralSettingTimestamp"] = json::Value::Int64(one.timer_set_at);
        rows.add(row);
      });
  if (!listed) return call.refuse(listed.error());
  call.send_text(rows.take());
}

void get_contact_info(Context& context, Call call) {
  const std::string_view in_query = call.request.query_value("chatId");
  if (!in_query.empty()) call.body["chatId"] = clean_utf8(in_query);
  const auto chat = required_chat(call.body);
  if (!chat) return call.refuse(chat.error());
  context.outside.contacts.details(
      *chat, [shared = context.shared_from_this(),
              call = std::move(call)](Result<chat::ChatDetails> details) mutable {
        if (!details) return call.refuse(details.error());
        call.send(show(*details, shared->outside.clock));
      });
}

void get_avatar(Context& context, Call call) {
  const auto chat = required_chat(call.body);
  if (!chat) return call.refuse(chat.error());
  find_avatar(context, *chat,
              [call = std::move(call)](const Result<chat::Picture>& picture, bool exists) mutable {
                if (!picture && !is_late(picture.error())) return call.refuse(picture.error());
                send_avatar(call, picture, exists);
              });
}

/// Answered at once; what was found comes as a notification.
void get_avatar_async(Context& context, Call call) {
  const auto chat = required_chat(call.body);
  if (!chat) return call.refuse(chat.error());
  if (!context.settings().avatar_info_webhook) {
    return call.refuse(400,
                       "the answer would be a notification, and avatarInfoWebhook is no: switch it "
                       "on with setSettings, or use getAvatar");
  }
  call.send_text("");
  find_avatar(context, *chat,
              [shared = context.shared_from_this(), chat = *chat](
                  const Result<chat::Picture>& picture, bool exists) {
                if (!picture && picture.error().code == Errc::cancelled) return;  // the box stops
                AvatarInfo info{chat, exists, picture ? picture->url : "", ""};
                if (!picture)
                  info.reason = is_late(picture.error()) ? kLate : picture.error().detail;
                shared->tell(build_avatar_info(info, shared->settings(), shared->instance(),
                                               shared->outside.clock.now()));
              });
}

void add_contact(Context& context, Call call) { save(context, std::move(call), "addContact"); }

void edit_contact(Context& context, Call call) { save(context, std::move(call), "editContact"); }

void delete_contact(Context& context, Call call) {
  const auto chat = required_chat(call.body);
  if (!chat) return call.refuse(chat.error());
  context.outside.chat_state.remove_contact(*chat, answered(std::move(call), "deleteContact"));
}

/// Of the account itself.
void set_profile_picture(Context& context, Call call) {
  auto form = parse_picture_form(call.request);
  if (!form) return call.refuse(form.error());
  if (!may_set_picture(context, call, "setProfilePicture")) return;
  context.outside.contacts.set_own_picture(
      to_bytes(form->picture), [&context, shared = context.shared_from_this(),
                                call = std::move(call)](Result<void> set) mutable {
        constexpr const char* kWord = "setProfilePicture";
        if (set) return answer_new_picture(context, std::move(call), kWord, context.wid());
        if (set.error().code != Errc::refused) return call.refuse(set.error());
        call.send(picture_answer(kWord, "bad request data"));
      });
}

void archive_chat(Context& context, Call call) { archive(context, std::move(call), true); }

void unarchive_chat(Context& context, Call call) { archive(context, std::move(call), false); }

}  // namespace posthorn::api
