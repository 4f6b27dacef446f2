"""The channels that a configuration makes, by their names in the delivery log. Imported by `headend.service`."""

from twisted.internet.asyncioreactor import AsyncioSelectorReactor

from headend.config import HeadendConfig
from headend.delivery.apprise_channel import AppriseChannel
from headend.delivery.sending import Channel, Clock
from headend.delivery.sms import SmsChannel
from headend.delivery.webhook import WebhookChannel


def make_channels(config: HeadendConfig, reactor: AsyncioSelectorReactor, clock: Clock) -> dict[str, Channel]:
    """Every channel that some recipient uses; ChannelUnusableError names a secret that cannot be read."""
    used = {channel for recipient in config.recipient for channel in recipient.channels}
    made: dict[str, Channel] = {}
    if config.smtp is not None and "email" in used:
        from headend.delivery.smtp import SmtpChannel  # noqa: PLC0415 - twisted.mail wants the reactor to be there

        made["email"] = SmtpChannel(config.smtp, reactor, clock)
    if config.sms is not None and "sms" in used:
        made["sms"] = SmsChannel(config.sms, reactor)
    for webhook in config.webhook:
        if f"webhook:{webhook.name}" in used:
            made[f"webhook:{webhook.name}"] = WebhookChannel(webhook, reactor, clock)
    if "apprise" in used:
        made["apprise"] = AppriseChannel(config.apprise)
    return made
