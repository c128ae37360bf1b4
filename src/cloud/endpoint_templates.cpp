#include <algorithm>

#include "cloud/content/template.h"
#include "cloud/endpoint_impl.h"
#include "cloud/fields.h"
#include "posthorn/base/percent_encode.h"

// /{business-id}/message_templates and /{template-id}.
namespace posthorn::cloud {
namespace {

using api::Verb;

constexpr std::size_t kPageMost = 100;
constexpr std::size_t kPageUsual = 25;

/// Which page of a list: "after" is the number of items before it, "before" that of the items up to
/// its end, as text.
struct Page {
  std::size_t from = 0;
  std::size_t size = kPageUsual;
};

std::size_t number_of(std::string_view text, std::size_t otherwise) {
  const auto number = whole_number(json::Value(std::string(text)));
  return number && *number >= 0 ? static_cast<std::size_t>(*number) : otherwise;
}

Page page_of(const api::Request& request) {
  Page out;
  out.size =
      std::clamp<std::size_t>(number_of(request.query_value("limit"), kPageUsual), 1, kPageMost);
  const auto place = [&request](const char* name) -> std::optional<std::size_t> {
    const std::string_view text = request.query_value(name);
    const auto said = base64_decode(text);
    if (text.empty() || !said) return std::nullopt;
    return number_of(as_text(*said), 0);
  };
  if (const auto after = place("after")) {
    out.from = *after;
  } else if (const auto before = place("before")) {
    out.size = std::min(out.size, *before);
    out.from = *before - out.size;
  }
  return out;
}

std::string cursor(std::size_t place) { return base64_encode(as_bytes(std::to_string(place))); }

/// The same question for another page; never with the token, which some write into the address.
std::string page_url(const GraphCall& call, std::size_t size, const char* side, std::size_t place) {
  std::string url = std::string(call.request.secure ? "https" : "http") + "://" +
                    call.request.host + call.request.path + "?limit=" + std::to_string(size);
  for (const auto& [name, value] : call.request.query) {
    if (name == "limit" || name == "after" || name == "before" || name == "access_token") continue;
    url += "&" + percent_encode(name) + "=" + percent_encode(value);
  }
  return url + "&" + side + "=" + percent_encode(cursor(place));
}

bool is_wanted(const Template& one, const api::Request& request) {
  const std::string_view name = request.query_value("name");
  const std::string_view status = request.query_value("status");
  const std::string_view language = request.query_value("language");
  const std::string_view category = request.query_value("category");
  return (name.empty() || one.name.find(name) != std::string::npos) &&
         (status.empty() || status == "APPROVED") &&
         (language.empty() || one.language == language) &&
         (category.empty() || one.category == category);
}

}  // namespace

void Endpoint::Impl::templates(GraphCall call) {
  if (call.request.verb == Verb::get) return list_templates(std::move(call));
  if (call.request.verb == Verb::post) {
    const auto made = templates_.create(call.body);
    if (!made && made.error().code == Errc::full) {
      return refuse(call, GraphError{Code::invalid_parameter, made.error().detail});
    }
    if (!made) return refuse(call, made.error());
    json::Value out;
    out["id"] = made->id;
    out["status"] = "APPROVED";
    out["category"] = made->category;
    return out_.blobs.durable(
        [self = alive_.weak(), call = std::move(call), out](Result<void> kept) mutable {
          Impl* me = self.get();
          if (me == nullptr) return;
          if (!kept) return me->refuse(call, kept.error());
          call.send(out);
        });
  }
  if (call.request.verb != Verb::del) return refuse_path(call);
  const std::string name(call.request.query_value("name"));
  if (name.empty()) return refuse(call, GraphError{Code::missing_parameter, "name is missing"});
  const auto gone = templates_.remove(name, std::string(call.request.query_value("hsm_id")));
  if (!gone) return refuse(call, gone.error());
  if (*gone == 0) {
    return refuse(call, GraphError{Code::invalid_parameter, "no template is called " + name});
  }
  call.succeed();
}

void Endpoint::Impl::send_template(const std::string& chat, const Template& one,
                                   const json::Value& sent, Once<void(Result<std::string>)> done) {
  auto filled = fill_template(one, sent);
  if (!filled) return done(fail(Errc::malformed, filled.error().detail));
  if (filled->header) {
    return done(
        fail(Errc::unsupported, "this template has a file in its header; post it to messages"));
  }
  MessageRequest request;
  request.chat = chat;
  request.content.what = content::Text{filled->text, true, std::nullopt};
  Job job = new_job(request);
  job.urgent = one.category == "AUTHENTICATION";
  out_.outbox.accept(std::move(job), [self = alive_.weak(), chat, id = one.id,
                                      done = std::move(done)](Result<std::string> made) mutable {
    Impl* me = self.get();
    const Template* sent_one = me == nullptr ? nullptr : me->templates_.find_id(id);
    if (made && sent_one != nullptr) me->templates_.on_sent(*sent_one, chat, me->out_.clock.now());
    done(std::move(made));
  });
}

void Endpoint::Impl::list_templates(GraphCall call) {
  const Page page = page_of(call.request);
  json::Value out;
  out["data"] = json::Value(::Json::arrayValue);
  std::size_t place = 0;
  bool more = false;
  for (const Template& one : templates_.all()) {
    if (!is_wanted(one, call.request)) continue;
    const std::size_t here = place++;
    if (here < page.from) continue;
    more = here >= page.from + page.size;
    if (more) break;
    out["data"].append(to_json(one));
  }
  const std::size_t shown = out["data"].size();
  if (shown > 0) {
    out["paging"]["cursors"]["before"] = cursor(page.from);
    out["paging"]["cursors"]["after"] = cursor(page.from + shown);
  }
  if (!call.request.query_value("summary").empty()) {
    json::Value& summary = out["summary"];
    summary["total_count"] = static_cast<::Json::UInt64>(templates_.all().size());
    summary["message_template_count"] = summary["total_count"];
    summary["message_template_limit"] = static_cast<::Json::UInt64>(Templates::kMost);
    summary["are_translations_complete"] = true;
  }
  if (more) out["paging"]["next"] = page_url(call, page.size, "after", page.from + shown);
  if (page.from > 0 && shown > 0) {
    out["paging"]["previous"] = page_url(call, page.size, "before", page.from);
  }
  call.send(out);
}

void Endpoint::Impl::on_template_id(GraphCall call, const Template& one) {
  if (call.request.verb == Verb::get) return call.send(to_json(one));
  refuse(call, GraphError{Code::invalid_parameter,
                          "a template of this box is changed by deleting and making it again"});
}

}  // namespace posthorn::cloud
