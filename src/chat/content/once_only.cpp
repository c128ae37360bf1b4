#include "chat/content/once_only.h"

namespace posthorn::chat {

bool keep_once_only(Content& content, bool around) {
  auto* file = std::get_if<content::File>(&content.what);
  if (file == nullptr || !(around || file->view_once)) return false;
  file->view_once = true;
  file->place.reset();
  file->ref.clear();
  file->thumbnail.clear();
  return true;
}

}  // namespace posthorn::chat
