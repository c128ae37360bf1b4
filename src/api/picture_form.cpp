#include "api/picture_form.h"

#include "api/fields.h"
#include "api/multipart.h"

namespace posthorn::api {
namespace {

class FormReader final : public PartListener {
 public:
  Result<void> on_part(const PartHead& head) override {
    into_ = head.name == "file"                               ? &form.picture
            : head.name == "groupId" || head.name == "chatId" ? &form.group
                                                              : nullptr;
    return {};
  }
  Result<void> on_data(std::string_view piece) override {
    if (into_ != nullptr) into_->append(piece);
    return {};
  }
  Result<void> on_part_end() override { return {}; }

  PictureForm form;

 private:
  std::string* into_ = nullptr;
};

}  // namespace

Result<PictureForm> parse_picture_form(const Request& request) {
  FormReader reader;
  TRY(auto parser, MultipartParser::from(request.content_type, reader));
  TRY(parser.feed(request.body));
  TRY(parser.finish());
  const std::string& picture = reader.form.picture;
  if (picture.empty()) return invalid("file", "is required");
  if (!picture.starts_with("\xFF\xD8\xFF"))
    return invalid("file", "must be a JPEG picture, best a square one of 640 x 640");
  return std::move(reader.form);
}

json::Value picture_answer(const char* word, const std::string& why) {
  json::Value out(::Json::objectValue);
  out[word] = why.empty();
  out["urlAvatar"] = json::Value();
  out["reason"] = why.empty() ? json::Value() : json::Value(why);
  return out;
}

void answer_new_picture(Context& context, Call call, const char* word, const std::string& chat) {
  context.outside.contacts.new_picture(
      chat, [word, call = std::move(call)](const Result<chat::Picture>& picture) mutable {
        json::Value out = picture_answer(word, "");
        if (picture && !picture->url.empty()) out["urlAvatar"] = picture->url;
        call.send(out);
      });
}

bool may_set_picture(const Context& context, Call& call, const char* word) {
  using Value = InstanceState::Value;
  const Value state = context.outside.state.value();
  if (state == Value::authorized || state == Value::restricted) return true;
  call.send(picture_answer(word, "instance account not authorized"));
  return false;
}

}  // namespace posthorn::api
