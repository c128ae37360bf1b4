#include <optional>

#include "api/multipart.h"
#include "posthorn/api/file_bodies.h"

namespace posthorn::api {

namespace {

constexpr std::size_t kFieldsAtMost = std::size_t{64} << 10;

using Done = Function<void(Result<Upload> upload, Reply reply)>;

/// What is written of a file, at most so much of it.
class FileEnd {
 public:
  FileEnd(std::unique_ptr<files::Writer> writer, std::uint64_t most)
      : writer_(std::move(writer)), left_(most) {}

  void on_room(std::function<void()> wake) {
    if (writer_) writer_->on_room(std::move(wake));
  }
  /// True: there is room for more.
  bool append(std::string_view piece) {
    if (piece.size() > left_) writer_.reset();  // nothing of it stays
    if (!writer_) return true;
    left_ -= piece.size();
    return writer_->append(piece);
  }
  /// Null: it was too long.
  [[nodiscard]] std::unique_ptr<files::Writer> take() { return std::move(writer_); }

 private:
  std::unique_ptr<files::Writer> writer_;
  std::uint64_t left_;
};

/// The end of both kinds: answers when the file has its name.
void finish_upload(std::unique_ptr<files::Writer> writer, Upload upload, Done done, Reply reply) {
  if (!writer) return done(fail(Errc::refused, "the file is too long"), std::move(reply));
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
  RawSink(FileEnd file, const Request& head, Done done)
      : file_(std::move(file)), done_(std::move(done)) {
    upload_.said_type = head.content_type;
  }

  void on_room(std::function<void()> wake) override { file_.on_room(std::move(wake)); }
  bool write(std::string_view piece) override { return file_.append(piece); }
  void finish(Reply reply) override {
    finish_upload(file_.take(), std::move(upload_), std::move(done_), std::move(reply));
  }

 private:
  FileEnd file_;
  Upload upload_;
  Done done_;
};

class FormSink final : public BodySink, private PartListener {
 public:
  FormSink(FileEnd file, Done done) : file_(std::move(file)), done_(std::move(done)) {}

  Result<void> begin(const Request& head) {
    TRY(MultipartParser parser, MultipartParser::from(head.content_type, *this));
    parser_.emplace(std::move(parser));
    return {};
  }

  void on_room(std::function<void()> wake) override { file_.on_room(std::move(wake)); }

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
    finish_upload(file_.take(), std::move(upload_), std::move(done_), std::move(reply));
  }

 private:
  Result<void> on_part(const PartHead& head) override {
    // Some clients forget the name of the file; the field's name says what it is all the same.
    in_file_ = !head.file_name.empty() || head.name == "file";
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
      room_ = file_.append(piece);
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

  FileEnd file_;
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

Result<std::unique_ptr<BodySink>> receive_file(files::Store& store, const Request& head, Done done,
                                               std::uint64_t most) {
  TRY(auto writer, store.begin(head.content_length));
  FileEnd file(std::move(writer), most);
  if (!head.content_type.starts_with("multipart/form-data")) {
    return std::unique_ptr<BodySink>(
        std::make_unique<RawSink>(std::move(file), head, std::move(done)));
  }
  auto form = std::make_unique<FormSink>(std::move(file), std::move(done));
  TRY(form->begin(head));
  return std::unique_ptr<BodySink>(std::move(form));
}

}  // namespace posthorn::api
