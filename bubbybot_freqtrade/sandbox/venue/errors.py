"""The venue's error codes and the one exception that carries them.

Codes and wording follow the error table of BloFin's reference; the few that its table
lacks (102016, 102067, 102114, 102148, 152423) are known from public clients.
"""

from __future__ import annotations

ALL_OPERATIONS_FAILED = "1"
PARTIALLY_SUCCEEDED = "2"
UNKNOWN_PATH = "152404"

MESSAGES: dict[str, str] = {
    ALL_OPERATIONS_FAILED: "All operations failed",
    PARTIALLY_SUCCEEDED: "Batch operation partially succeeded.",
    "400": "Bad Request",
    "401": "Invalid signature.",
    "404": "not found",
    "405": "Method Not Allowed",
    "429": "Too Many Requests",
    "500": ("Cancel failed as the order has been filled, triggered, canceled or does not exist."),
    "542": "Exceeded the maximum order size limit",
    "1000": ("Cancel failed as the order has been filled, triggered, canceled or does not exist."),
    "102002": "Duplicate customized order ID",
    "102005": "Position had been closed",
    "102014": "Limit order exceeds maximum order size limit",
    "102015": "Market order exceeds maximum order size limit",
    "102016": "Precision does not match",
    "102022": (
        "Failed to place order. You don’t have any positions of this contract. "
        "Turn off Reduce-only to continue."
    ),
    "102037": "TP trigger price should be higher than the latest trading price",
    "102038": "SL trigger price should be lower than the latest trading price",
    "102039": "TP trigger price should be lower than the latest trading price",
    "102040": "SL trigger price should be higher than the latest trading price",
    "102047": "Stop loss trigger price should be higher than the order price",
    "102049": "Take profit trigger price should be lower than the order price",
    "102051": "stop loss trigger price should be lower than the order price",
    "102052": "take profit trigger price should be higher than the order price",
    "102064": "Buy price is not within the price limit (Minimum: {}; Maximum:{})",
    "102065": "Sell price is not within the price limit (Minimum: {}; Maximum:{})",
    "102067": (
        "Order modification failed as the order has been filled, triggered, canceled "
        "or does not exist."
    ),
    "102068": (
        "Cancel failed as the order has been filled, triggered, canceled or does not exist."
    ),
    "102089": "Position mode mismatch",
    "102114": "A TP/SL order for the entire position already exists",
    "102148": "Duplicate requestId, request ignored.",
    "103003": "Order failed. Insufficient USDT margin in account",
    "103013": "Internal error; unable to process your request. Please try again.",
    "110006": "You have pending cross orders. Please cancel them before adjusting your leverage.",
    "110019": "Setting failed. Cancel any open orders, and close positions first.",
    "150003": "clientId already exist",
    "150004": "Insufficient balance. please adjust the amount and try again.",
    "152001": "Parameter {} cannot be empty.",
    "152002": "Parameter {} error.",
    "152003": "Either parameter {} or {} is required.",
    "152004": ("JSON syntax error, Please check if the parameter should be an array or an object."),
    "152005": "Parameter error: wrong or empty",
    "152006": "Batch orders can be placed for up to 20 at once.",
    "152007": "Batch orders can only be placed with the same instId and marginMode.",
    "152008": (
        "Only the same field is allowed for bulk cancellation of orders, orderId is preferred."
    ),
    "152009": (
        "{} must be a combination of numbers, letters, or underscores, "
        "and the maximum length of characters is 32."
    ),
    "152011": "Transaction API Key does not support brokerId",
    "152012": "BrokerId is required",
    "152013": "Unmatched brokerId, please check your API key's bound broker",
    "152014": "Instrument ID does not exist",
    "152015": "Number of instId values exceeds the maximum limit of 20",
    "152401": (
        "Access key does not exist, Please go to the API Management page and check if it exists "
        "and is in an active state."
    ),
    "152402": (
        "Access key has expired, Please go to the API Management page and check if it exists "
        "and is in an active state."
    ),
    "152404": (
        "This operation is not supported, Please check the requestPath or API key permissions."
    ),
    "152405": "Timestamp in header or signature has expired, need to be within 60s",
    "152406": "Your IP is not included in your API key's IP whitelist",
    "152407": "Repeated nonce, Reusing within 60 seconds is not allowed.",
    "152408": "Passphrase error",
    "152409": (
        "Signature verification failed, Please refer to "
        "[Signature Verification Failed]"
        "(https://docs.blofin.com/index.html#signature-verification-failed)"
    ),
    "152410": (
        "The value of ACCESS-TIMESTAMP needs to be a millisecond timestamp, e.g: 1704038400000."
    ),
    "152423": "New size cannot be less than filled size",
}


class VenueError(Exception):
    """A refusal as the venue words it: `code` and `msg` of the answer's body.

    `args` fill the braces of the code's message.
    """

    def __init__(self, code: str, *args: object) -> None:
        self.code = code
        self.msg = MESSAGES[code].format(*args)
        super().__init__(f"{code} {self.msg}")
