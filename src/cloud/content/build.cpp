#include "cloud/content/build.h"

#include "cloud/content/kinds.h"
#include "cloud/fields.h"
#include "posthorn/base/user_id.h"

// Content to the official API's message objects.
namespace posthorn::cloud {
namespace {

using Built = Result<json::Value>;
using Kind = content::File::Kind;

constexpr std::size_t kParameterMax = 1024;
constexpr std::size_t kRowTitle = 24;
constexpr std::size_t kListRows = 10;

Built none(const char* what) {
  return fail(Errc::unsupported, std::string(what) + " cannot be sent by the official API");
}

json::Value of_type(const char* type) {
  json::Value out(::Json::objectValue);
  out["type"] = type;
  return out;
}

/// Whole characters.
std::string cut(std::string_view text, std::size_t characters) {
  std::size_t at = 0;
  while (at < text.size()) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
    if (begins && characters-- == 0) break;
    ++at;
  }
  return std::string(text.substr(0, at));
}

/// Parameters of templates may have no new lines, and no four blanks in a row.
std::string in_one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool blank = c == '\n' || c == '\r' || c == '\t' || c == ' ';
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  return cut(out, kParameterMax);
}

json::Value text_parameter(const std::string& text) {
  json::Value out;
  out["type"] = "text";
  out["text"] = in_one_line(text);
  return out;
}

struct Builder {
  const Job& job;
  const BuildFacts& facts;

  Built operator()(const content::Text& kind) const {
    json::Value out = of_type("text");
    out["text"]["body"] = kind.body;
    // Direct Send does not know previews.
    if (facts.way == Way::free_form) out["text"]["preview_url"] = kind.link_preview;
    return out;
  }
  Built operator()(const content::File& kind) const {
    const char* type = official_type(kind.kind);
    json::Value out = of_type(type);
    out[type]["id"] = facts.media_id;
    const bool captioned =
        kind.kind != Kind::audio && kind.kind != Kind::voice && kind.kind != Kind::sticker;
    if (captioned && !kind.caption.empty()) out[type]["caption"] = cut(kind.caption, kParameterMax);
    if (kind.kind == Kind::document) out[type]["filename"] = kind.name;
    if (kind.kind == Kind::voice) out[type]["voice"] = true;
    return out;
  }
  Built operator()(const content::Location& kind) const {
    json::Value out = of_type("location");
    out["location"]["latitude"] = kind.latitude;
    out["location"]["longitude"] = kind.longitude;
    if (!kind.name.empty()) out["location"]["name"] = kind.name;
    if (!kind.address.empty()) out["location"]["address"] = kind.address;
    return out;
  }
  Built operator()(const content::Contacts& kind) const {
    json::Value out = of_type("contacts");
    for (const auto& card : kind.cards) {
      out["contacts"].append(contact_of_vcard(card.name, card.vcard));
    }
    return out;
  }
  Built operator()(const content::Reaction& kind) const {
    if (facts.quoted.empty()) {
      return none(
          "a reaction to a message that the official number neither sent nor got, as far as "
          "the box remembers,");
    }
    json::Value out = of_type("reaction");
    out["reaction"]["message_id"] = facts.quoted;
    out["reaction"]["emoji"] = kind.emoji;
    return out;
  }
  /// There are no polls: a list stands for one.
  Built operator()(const content::Poll& kind) const {
    if (kind.options.size() > kListRows) return none("a poll with more than ten options");
    json::Value out = of_type("interactive");
    json::Value& list = out["interactive"];
    list["type"] = "list";
    list["body"]["text"] = kind.name;
    list["action"]["button"] = "?";
    json::Value section;
    for (std::size_t i = 0; i < kind.options.size(); ++i) {
      json::Value row;
      row["id"] = std::to_string(i + 1);
      row["title"] = cut(kind.options[i], kRowTitle);
      section["rows"].append(std::move(row));
    }
    list["action"]["sections"].append(std::move(section));
    return out;
  }
  Built operator()(const content::Edit&) const { return none("an edit"); }
  Built operator()(const content::Deletion&) const { return none("a deletion"); }
  Built operator()(const content::PollVote&) const { return none("a vote"); }
  Built operator()(const content::GroupInvite&) const { return none("an invitation to a group"); }
  Built operator()(const content::Buttons&) const { return none("a message of another business"); }
  Built operator()(const content::Choice&) const { return none("a pressed button"); }
  Built operator()(const content::Order&) const { return none("an order"); }
  Built operator()(const content::Product&) const { return none("a product"); }
  Built operator()(const content::Event&) const { return none("an appointment"); }
  Built operator()(const content::Pin&) const { return none("a pin"); }
  Built operator()(const content::Timer&) const { return none("a timer"); }
  Built operator()(const content::Album&) const { return none("an album"); }
  Built operator()(const content::Undecryptable&) const { return none("an unreadable message"); }
  Built operator()(const content::Other&) const { return none("a message of an unknown kind"); }
};

/// The text as the one parameter of a template; a document stands in its header.
Built as_template(const Job& job, const BuildFacts& facts) {
  json::Value out = of_type("template");
  json::Value& one = out["template"];
  one["name"] = facts.template_name;
  one["language"]["code"] = facts.template_language;
  const auto* file = std::get_if<content::File>(&job.content.what);
  const std::string text = readable_text(job.content);
  if (file != nullptr) {
    json::Value media;
    const bool document = file->kind == Kind::document;
    if (!document && file->kind != Kind::image) return none("this kind of file in a template");
    const char* type = document ? "document" : "image";
    media["type"] = type;
    media[type]["id"] = facts.media_id;
    if (document) media[type]["filename"] = file->name;
    json::Value header;
    header["type"] = "header";
    header["parameters"].append(std::move(media));
    one["components"].append(std::move(header));
  } else if (text.empty()) {
    return none("what is no text in a template");
  }
  json::Value body;
  body["type"] = "body";
  body["parameters"].append(text_parameter(text.empty() && file != nullptr ? file->name : text));
  one["components"].append(std::move(body));
  return out;
}

/// The official API's own words, as they were posted to the box; null: none were kept.
json::Value posted_part(const Job& job) {
  if (job.method != "messages" || job.posted.empty()) return {};
  const auto posted = json::parse(job.posted);
  if (!posted) return {};
  const std::string type = json::string_at(*posted, "type").value_or("");
  if (type != "interactive" && type != "template") return {};
  const json::Value& part = json::at(*posted, type.c_str());
  // A file in it is the box's, under an id that nobody else knows.
  if (std::holds_alternative<content::File>(job.content.what) || !part.isObject()) return {};
  json::Value out = of_type(type.c_str());
  out[type] = part;
  return out;
}

}  // namespace

const char* official_type(content::File::Kind kind) {
  switch (kind) {
    case Kind::image:
      return "image";
    case Kind::video:
    case Kind::gif:
    case Kind::video_note:
      return "video";
    case Kind::audio:
    case Kind::voice:
      return "audio";
    case Kind::sticker:
      return "sticker";
    case Kind::document:
      return "document";
  }
  return "document";
}

bool names_template(const Job& job) { return posted_part(job).isMember("template"); }

Result<json::Value> build_message(const Job& job, const BuildFacts& facts) {
  Built built = posted_part(job);
  const bool fits = facts.way == Way::template_ ? built->isMember("template") : built->isObject();
  if (!fits) {
    built = facts.way == Way::template_ ? as_template(job, facts)
                                        : std::visit(Builder{job, facts}, job.content.what);
  }
  if (!built) return built;
  json::Value out = std::move(*built);
  out["messaging_product"] = "whatsapp";
  out["recipient_type"] = "individual";
  const std::string& to = facts.to.empty() ? job.chat : facts.to;
  const std::string user_id = user_id_in(to);
  if (user_id.empty()) {
    out["to"] = to.substr(0, to.find('@'));
  } else {
    out["recipient"] = user_id;
  }
  out["biz_opaque_callback_data"] = job.id;
  const bool quotes = !facts.quoted.empty() && out["type"] != "reaction";
  if (quotes) out["context"]["message_id"] = facts.quoted;
  if (facts.way == Way::direct_send) out["category"] = job.urgent ? "authentication" : "utility";
  return out;
}

}  // namespace posthorn::cloud
