#pragma once

#include <memory>

#include "chat/files/hosts.h"
#include "chat/files/outside.h"
#include "chat/lane/blob_source.h"

namespace posthorn::chat {

/// Fetches files that are read once and kept nowhere: decrypted on the loop, piece by piece, as
/// they come. Another host is tried only while nothing has been given on.
/// Source: chapter 08 sections 2 and 5.
class BlobFetch final : public BlobSource {
 public:
  /// Both outlive this.
  BlobFetch(const FilesContext& context, MediaHosts& hosts) : context_(context), hosts_(hosts) {}

  void fetch(BlobRef blob, std::uint64_t most, std::function<Result<void>(ByteView)> piece,
             Once<void(Result<void>)> done) override;

 private:
  struct Work;
  void ask(std::shared_ptr<Work> work);
  void on_answer(const std::shared_ptr<Work>& work, Result<net::HttpResponse> answer);

  const FilesContext& context_;
  MediaHosts& hosts_;
};

}  // namespace posthorn::chat
