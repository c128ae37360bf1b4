#include <optional>

#include "api/multipart.h"
#include "posthorn/api/file_bodies.h"

namespace posthorn::api {

namespace {

constexpr std::size_t kFieldsAtMost = std::size_t{64} << 10;

using Done = Function<void(Result<Upload> upload, Reply reply)>;

/// The end of both kinds: answers when the file has its name.
void finish_upload(std::unique_ptr<files::Writer> writer, Upload upload, Done done, Reply reply) {
  files::Writer& last = *writer;
  last.finish([writer = std::move(writer), upload = std::move(upload), done = std::move(done),
               reply = std::move(reply)](Result<files::File> file) mutable {
    if (!file) return done(tl::unexpected(file.error()), std::move(reply));
    upload.file = std::move(*file);
    done(std::move(upload), std::move(reply));
  });
}

class RawSink final : public BodySink {
 public:
  RawSink(std::unique_ptr<files::Writer> writer, const Request& head, Done done)
      : writer_(std::move(writer)), done_(std::move(done)) {
    upload_.said_type = head.content_type;
  }

  void on_room(std::function<void()> wake) override { writer_->on_room(std::move(wake)); }
  bool write(std::string_view piece) override { return writer_->append(piece); }
  void finish(Reply reply) override {
    finish_upload(std::move(writer_), std::move(upload_), std::move(done_), std::move(reply));
  }

 private:
  std::unique_ptr<files::Writer> writer_;
  Upload upload_;
  Done done_;
};

class FormSink final : public BodySink, private PartListener {
 public:
  FormSink(std::unique_ptr<files::Writer> writer, Done done)
      : writer_(std::move(writer)), done_(std::move(done)) {}

  Result<void> begin(const Request& head) {
    TRY(MultipartParser parser, MultipartParser::from(head.content_type, *this));
    parser_.emplace(std::move(parser));
    return {};
  }

  void on_room(std::function<void()> wake) override { writer_->on_room(std::move(wake)); }

  bool write(std::string_view piece) override {
    room_ = true;
    // After an error the rest is read and dropped, so that its sender gets the answer.
    if (fault_) return true;
    if (auto fed = parser_->feed(piece); !fed) fault_ = fed.error();
    return room_;
  }

  void finish(Reply reply) override {
    if (!fault_) {
      if (auto whole = parser_->finish(); !whole) fault_ = whole.error();
    }
    if (!fault_ && !found_) {
      fault_ = Error{Errc::malformed, "multipart/form-data: there is no file in the form"};
    }
    if (fault_) return done_(tl::unexpected(*fault_), std::move(reply));
    finish_upload(std::move(writer_), std::move(upload_), std::move(done_), std::move(reply));
  }

 private:
  Result<void> on_part(const PartHead& head) override {
    in_file_ = !head.file_name.empty();
    if (in_file_ && std::exchange(found_, true)) {
      return fail(Errc::malformed, "multipart/form-data: one file in a form, please");
    }
    field_ = head.name;
    if (in_file_) {
      upload_.file_name = head.file_name;
      upload_.said_type = head.type;
    }
    return {};
  }
  Result<void> on_data(std::string_view piece) override {
    if (in_file_) {
      room_ = writer_->append(piece);
      return {};
    }
    fields_size_ += piece.size();
    if (fields_size_ > kFieldsAtMost) {
      return fail(Errc::malformed, "multipart/form-data: the form's fields are too long");
    }
    upload_.fields[field_] += piece;
    return {};
  }
  Result<void> on_part_end() override { return {}; }

  std::unique_ptr<files::Writer> writer_;
  Done done_;
  std::optional<MultipartParser> parser_;
  Upload upload_;
  std::optional<Error> fault_;
  std::string field_;
  std::size_t fields_size_ = 0;
  bool in_file_ = false;
  bool found_ = false;
  bool room_ = true;
};

}  // namespace

Result<std::unique_ptr<BodySink>> receive_file(files::Store& store, const Request& head,
                                               Done done) {
  TRY(auto writer, store.begin(head.content_length));
  if (!head.content_type.starts_with("multipart/form-data")) {
    return std::unique_ptr<BodySink>(
        std::make_unique<RawSink>(std::move(writer), head, std::move(done)));
  }
  auto form = std::make_unique<FormSink>(std::move(writer), std::move(done));
  TRY(form->begin(head));
  return std::unique_ptr<BodySink>(std::move(form));
}

}  // namespace posthorn::api
