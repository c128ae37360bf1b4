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

}  // namespace posthorn::api
