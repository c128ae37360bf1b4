#include <array>

#include "cloud/endpoint_impl.h"
#include "cloud/fields.h"
#include "posthorn/api/file_bodies.h"
#include "posthorn/base/media_type.h"

// Uploads, look-ups and bytes; files of messages.
namespace posthorn::cloud {
namespace {

using Kind = content::File::Kind;

constexpr int kMissing = 33;
constexpr std::uint64_t kMiB = 1'048'576;
constexpr std::uint64_t kFormOverhead = 64 << 10;

/// Media types that are taken, by beginning, with what a file of them may have at most. Source:
/// Meta's table of supported media, 2026.
struct Limit {
  std::string_view type;
  std::uint64_t bytes;
};
constexpr std::array kLimits{
    Limit{"image/jpeg", 5 * kMiB},
    Limit{"image/png", 5 * kMiB},
    Limit{"image/webp", kMiB / 2},
    Limit{"audio/aac", 16 * kMiB},
    Limit{"audio/amr", 16 * kMiB},
    Limit{"audio/mpeg", 16 * kMiB},
    Limit{"audio/mp4", 16 * kMiB},
    Limit{"audio/ogg", 16 * kMiB},
    Limit{"audio/opus", 16 * kMiB},
    Limit{"video/mp4", 16 * kMiB},
    Limit{"video/3gp", 16 * kMiB},
    Limit{"text/", chat::kLargestFile},
    Limit{"application/", chat::kLargestFile},
};

std::string plain_type(std::string_view type) {
  std::string out(type.substr(0, type.find_first_of("; ")));
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

Result<void> check_size(const std::string& mime, std::uint64_t size) {
  for (const Limit& limit : kLimits) {
    if (!mime.starts_with(limit.type)) continue;
    if (size <= limit.bytes) return {};
    return fail(Errc::malformed, "a file of type " + mime + " may have " +
                                     std::to_string(limit.bytes) + " bytes, this one has " +
                                     std::to_string(size));
  }
  return fail(Errc::malformed, "files of type " + mime + " are not taken");
}

/// Whether that kind of message may carry the type.
bool fits(Kind kind, std::string_view mime) {
  switch (kind) {
    case Kind::image:
      return mime == "image/jpeg" || mime == "image/png";
    case Kind::audio:
    case Kind::voice:
      return mime.starts_with("audio/");
    case Kind::video:
    case Kind::gif:
    case Kind::video_note:
      return mime.starts_with("video/");
    case Kind::sticker:
      return mime == "image/webp";
    case Kind::document:
      return true;
  }
  return true;
}

std::string field(const api::Upload& upload, const char* name) {
  const auto found = upload.fields.find(name);
  return found == upload.fields.end() ? "" : found->second;
}

/// What the client says, else what the bytes are.
std::string type_of_upload(const api::Upload& upload) {
  constexpr std::string_view kUnknown = "application/octet-stream";
  for (const std::string& said : {field(upload, "type"), upload.said_type}) {
    const std::string type = plain_type(said);
    if (type.find('/') != std::string::npos && type != kUnknown) return type;
  }
  const std::string_view by_name = media_type_of(upload.file_name);
  if (upload.file.type == kUnknown && !by_name.empty()) return std::string(by_name);
  return upload.file.type;
}

content::File file_of(const MediaIds::Media& media, const MediaAsked& asked) {
  content::File file;
  file.ref = media.ref;
  file.size = media.size;
  file.mime = media.mime;
  file.kind = asked.kind;
  const bool opus = media.mime == "audio/ogg" || media.mime == "audio/opus";
  if (asked.kind == Kind::audio && asked.voice && opus) {
    file.kind = Kind::voice;
    file.mime = "audio/ogg; codecs=opus";
  }
  file.name = file_name_in(asked.file_name.empty() ? media.name : asked.file_name);
  if (file.name.empty()) file.name = "file." + std::string(ending_of(media.mime));
  file.caption = asked.caption;
  return file;
}

std::string no_media(const std::string& id) {
  return "no media with the id " + id + " is on this box";
}

}  // namespace

Result<std::unique_ptr<api::BodySink>> Endpoint::Impl::receive(const api::Request& head) {
  if (head.content_length.value_or(0) > chat::kLargestFile + kFormOverhead) {
    return fail(Errc::malformed, "the file is larger than 100 MB");
  }
  api::Request kept = head;
  kept.body.clear();
  return api::receive_file(out_.files->store, head,
                           [self = alive_.weak(), kept = std::move(kept)](
                               Result<api::Upload> upload, api::Reply reply) mutable {
                             Impl* me = self.get();
                             if (me == nullptr) return;
                             GraphCall call{std::move(kept), {}, {}, std::move(reply)};
                             call.path = parse_path(call.request.path);
                             me->on_upload(std::move(call), std::move(upload));
                           });
}

void Endpoint::Impl::on_upload(GraphCall call, Result<api::Upload> upload) {
  if (!upload && upload.error().code == Errc::malformed) {
    return refuse(call, GraphError{Code::invalid_parameter, upload.error().detail});
  }
  if (!upload) return refuse(call, GraphError{Code::media_upload, upload.error().detail});
  std::string product = field(*upload, "messaging_product");
  if (product.empty()) product = call.request.query_value("messaging_product");
  if (product.empty()) {
    return refuse(call, GraphError{Code::missing_parameter, "messaging_product is missing"});
  }
  MediaIds::Media media;
  media.ref = upload->file.ref;
  media.size = upload->file.size;
  media.mime = type_of_upload(*upload);
  const std::string name = file_name_in(upload->file_name);
  if (name != "blob" && is_utf8(name)) media.name = name;
  if (media.size == 0) return refuse(call, GraphError{Code::media_upload, "the file is empty"});
  if (const auto fit = check_size(media.mime, media.size); !fit) {
    return refuse(call, GraphError{Code::media_upload, fit.error().detail});
  }
  // Each upload is deleted by itself.
  const auto id = media_.add(media, as_text(out_.random.bytes(16)));
  if (!id) return refuse(call, id.error());
  out_.blobs.durable(
      [self = alive_.weak(), call = std::move(call), id = *id](Result<void> kept) mutable {
        Impl* me = self.get();
        if (me == nullptr) return;
        if (!kept) return me->refuse(call, kept.error());
        json::Value out;
        out["id"] = id;
        call.send(out);
      });
}

void Endpoint::Impl::show_media(GraphCall call) {
  const std::string id = call.path.parts[0];
  const auto media = media_.find(id);
  if (!media) {
    return refuse(call, GraphError{Code::invalid_parameter, no_media(id), kMissing});
  }
  const std::string version = call.path.version.empty() ? "v26.0" : call.path.version;
  json::Value out;
  out["messaging_product"] = "whatsapp";
  out["url"] = std::string(call.request.secure ? "https" : "http") + "://" + call.request.host +
               "/" + version + "/media/" + id;
  out["mime_type"] = media->mime;
  out["sha256"] = media->ref;
  out["file_size"] = std::to_string(media->size);
  out["id"] = id;
  call.send(out);
}

void Endpoint::Impl::send_media_bytes(GraphCall call) {
  const std::string id = call.path.parts[1];
  const auto media = media_.find(id);
  if (!media || !out_.files) {
    return refuse(call, GraphError{Code::invalid_parameter, no_media(id), kMissing});
  }
  out_.files->chat.fetch(
      media->ref, [self = alive_.weak(), call = std::move(call), mime = media->mime,
                   id](const Result<files::File>& stored) mutable {
        Impl* me = self.get();
        if (me == nullptr) return;
        if (!stored) {
          return me->refuse(
              call, GraphError{Code::invalid_parameter,
                               no_media(id) + " any more: " + stored.error().detail, kMissing});
        }
        // The type is the one that the client said or the sender's phone.
        api::Reply typed([mime, reply = std::move(call.reply)](api::Response answer) mutable {
          if (answer.stream) answer.content_type = mime;
          reply.send(std::move(answer));
        });
        api::send_file(me->out_.files->store, stored->ref, call.request, "", std::move(typed));
      });
}

void Endpoint::Impl::delete_media(GraphCall call) {
  const std::string id = call.path.parts[0];
  if (!media_.find(id)) {
    return refuse(call, GraphError{Code::invalid_parameter, no_media(id), kMissing});
  }
  if (auto removed = media_.remove(id); !removed) return refuse(call, removed.error());
  call.succeed();
}

void Endpoint::Impl::with_media_id(GraphCall call, MessageRequest request, Job job) {
  const auto media = media_.find(request.media->id);
  if (!media) {
    return refuse(call, GraphError{Code::invalid_parameter, no_media(request.media->id), kMissing});
  }
  out_.files->chat.fetch(media->ref, [self = alive_.weak(), call = std::move(call),
                                      request = std::move(request), job = std::move(job),
                                      media = *media](const Result<files::File>& file) mutable {
    Impl* me = self.get();
    if (me == nullptr) return;
    if (!file) {
      return me->refuse(call, GraphError{Code::media_upload,
                                         "the file is not on the box any more, upload it again"});
    }
    me->queue_file(std::move(call), std::move(request), std::move(job), std::move(media));
  });
}

void Endpoint::Impl::with_link(GraphCall call, MessageRequest request, Job job) {
  const std::string link = request.media->link;
  auto done = [self = alive_.weak(), call = std::move(call), request = std::move(request),
               job = std::move(job)](Result<api::FetchedFile> fetched) mutable {
    Impl* me = self.get();
    if (me == nullptr) return;
    if (!fetched) {
      // As the real service: taken, and failed by a status.
      if (!request.callback_data.empty()) (void)me->callbacks_.put(job.id, request.callback_data);
      me->out_.fail_job(job, std::string(kLinkFailed) + ": " + to_string(fetched.error()));
      return me->answer_message(call, request, job.id);
    }
    MediaIds::Media media;
    media.ref = fetched->file.ref;
    media.size = fetched->file.size;
    const std::string said = plain_type(fetched->said_type);
    media.mime = said.empty() || said == "application/octet-stream" ? fetched->file.type : said;
    std::string_view path = request.media->link;
    path = path.substr(0, path.find_first_of("?#"));
    media.name = path.substr(path.rfind('/') + 1);
    if (media_type_of(media.name).empty()) media.name.clear();
    me->queue_file(std::move(call), std::move(request), std::move(job), std::move(media));
  };
  if (const auto ours = out_.files->links.read_url(link)) {
    return out_.files->chat.fetch(ours->ref,
                                  [done = std::move(done)](Result<files::File> file) mutable {
                                    if (!file) return done(tl::unexpected(std::move(file.error())));
                                    done(api::FetchedFile{std::move(*file), ""});
                                  });
  }
  out_.files->fetch(link, std::move(done));
}

void Endpoint::Impl::queue_file(GraphCall call, MessageRequest request, Job job,
                                MediaIds::Media media) {
  if (!fits(request.media->kind, media.mime)) {
    return refuse(call, GraphError{Code::media_upload, "a file of type " + media.mime +
                                                           " cannot be sent as " + request.type});
  }
  if (const auto fit = check_size(media.mime, media.size);
      !fit && request.media->kind != Kind::document) {
    return refuse(call, GraphError{Code::media_upload, fit.error().detail});
  }
  content::File file = file_of(media, *request.media);
  file.link = out_.files->links.link_to(file, call.request.host);
  job.content.what = std::move(file);
  queue(std::move(call), std::move(request), std::move(job));
}

}  // namespace posthorn::cloud
