#include "api/routes.h"

#include <array>

namespace posthorn::api {

namespace {

// Verbs and limits: Green-API documentation, pages of each method and "Rate limiter", July 2026.
// clearWebhooksQueue answers its once-a-minute limit by itself, in a 200.
constexpr auto kRoutes = std::to_array<BuiltInRoute>({
    {"getSettings", Verb::get, 1, Needs::nothing, get_settings},
    {"setSettings", Verb::post, 1, Needs::body, set_settings},
    {"getStateInstance", Verb::get, 1, Needs::nothing, get_state_instance},
    {"getStatusInstance", Verb::get, 1, Needs::nothing, get_status_instance},
    {"reboot", Verb::get, 1, Needs::nothing, reboot},
    {"logout", Verb::get, 1, Needs::nothing, logout},
    {"qr", Verb::get, 3, Needs::nothing, qr},
    {"scanqrcode", Verb::get, 1, Needs::nothing, scan_qr_code},
    {"getAuthorizationCode", Verb::post, 1, Needs::body, get_authorization_code},
    {"getPasskey", Verb::get, 5, Needs::nothing, get_passkey},
    {"sendPasskeyResponse", Verb::post, 1, Needs::body, send_passkey_response},
    {"confirmPasskey", Verb::post, 1, Needs::body, confirm_passkey},
    {"getWaSettings", Verb::get, 1, Needs::nothing, get_wa_settings},
    {"getAccountSettings", Verb::get, 1, Needs::nothing, get_wa_settings},
    {"getStateInstanceHistory", Verb::get, 1, Needs::nothing, get_state_instance_history},
    {"getDeviceInfo", Verb::get, 1, Needs::nothing, get_device_info},
    {"setSystemProxy", Verb::get, 1, Needs::nothing, set_system_proxy},
    {"sendMessage", Verb::post, 50, Needs::body, send_message},
    {"sendLocation", Verb::post, 50, Needs::body, send_location},
    {"sendContact", Verb::post, 50, Needs::body, send_contact},
    {"sendPoll", Verb::post, 50, Needs::body, send_poll},
    {"sendInteractiveButtons", Verb::post, 50, Needs::body, send_interactive_buttons},
    {"sendInteractiveButtonsReply", Verb::post, 50, Needs::body, send_interactive_buttons_reply},
    {"sendReaction", Verb::post, 50, Needs::body, send_reaction},
    {"forwardMessages", Verb::post, 50, Needs::body, forward_messages},
    {"editMessage", Verb::post, 1, Needs::body, edit_message},
    {"deleteMessage", Verb::post, 10, Needs::body, delete_message},
    {"setDisappearingChat", Verb::post, 1, Needs::body, set_disappearing_chat},
    {"sendTextStatus", Verb::post, 50, Needs::body, send_text_status},
    {"getStatusStatistic", Verb::get, 1, Needs::nothing, get_status_statistic},
    {"deleteStatus", Verb::post, 1, Needs::body, delete_status},
    {"sendLink", Verb::post, 50, Needs::body, send_link},
    {"sendTyping", Verb::post, 50, Needs::session, send_typing},
    {"receiveNotification", Verb::get, 100, Needs::nothing, receive_notification},
    {"deleteNotification", Verb::del, 100, Needs::nothing, delete_notification},
    {"showMessagesQueue", Verb::get, 1, Needs::nothing, show_messages_queue},
    {"clearMessagesQueue", Verb::get, 1, Needs::nothing, clear_messages_queue},
    {"getMessagesCount", Verb::get, 1, Needs::nothing, get_messages_count},
    {"getWebhooksCount", Verb::get, 1, Needs::nothing, get_webhooks_count},
    {"clearWebhooksQueue", Verb::del, 100, Needs::nothing, clear_webhooks_queue},
    {"getChatHistory", Verb::post, 1, Needs::body, get_chat_history},
    {"requestChatHistory", Verb::post, 1, Needs::session, request_chat_history},
    {"getMessage", Verb::post, 10, Needs::body, get_message},
    {"lastIncomingMessages", Verb::get, 1, Needs::body, last_incoming_messages},
    {"lastOutgoingMessages", Verb::get, 1, Needs::body, last_outgoing_messages},
    {"lastIncomingCalls", Verb::get, 1, Needs::body, last_incoming_calls},
    {"lastOutgoingCalls", Verb::get, 1, Needs::body, last_outgoing_calls},
    {"getIncomingStatuses", Verb::get, 1, Needs::body, get_incoming_statuses},
    {"getOutgoingStatuses", Verb::get, 1, Needs::body, get_outgoing_statuses},
    {"readChat", Verb::post, 10, Needs::session, read_chat},
    {"checkWhatsapp", Verb::post, 10, Needs::session, check_whatsapp},
    {"getContacts", Verb::get, 1, Needs::session, get_contacts},
    {"getChats", Verb::get, 1, Needs::nothing, get_chats},
    {"getContactInfo", Verb::post, 1, Needs::session, get_contact_info},
    {"getAvatar", Verb::post, 10, Needs::session, get_avatar},
    {"getAvatarAsync", Verb::post, 10, Needs::session, get_avatar_async},
    {"setProfilePicture", Verb::post, 0.1, Needs::nothing, set_profile_picture},
    {"addContact", Verb::post, 1, Needs::session, add_contact},
    {"editContact", Verb::post, 1, Needs::session, edit_contact},
    {"deleteContact", Verb::post, 1, Needs::session, delete_contact},
    {"archiveChat", Verb::post, 10, Needs::session, archive_chat},
    {"unarchiveChat", Verb::post, 10, Needs::session, unarchive_chat},
    {"createGroup", Verb::post, 1, Needs::session, create_group},
    {"getGroupData", Verb::post, 1, Needs::session, get_group_data},
    {"updateGroupName", Verb::post, 1, Needs::session, update_group_name},
    {"updateGroupSettings", Verb::post, 1, Needs::session, update_group_settings},
    {"addGroupParticipant", Verb::post, 10, Needs::session, add_group_participant},
    {"removeGroupParticipant", Verb::post, 10, Needs::session, remove_group_participant},
    {"setGroupAdmin", Verb::post, 10, Needs::session, set_group_admin},
    {"removeAdmin", Verb::post, 10, Needs::session, remove_admin},
    {"setGroupPicture", Verb::post, 1, Needs::nothing, set_group_picture},
    {"leaveGroup", Verb::post, 10, Needs::session, leave_group},
});

}  // namespace

std::span<const BuiltInRoute> built_in_routes() { return kRoutes; }

}  // namespace posthorn::api
