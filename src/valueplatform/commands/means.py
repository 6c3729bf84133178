"""What digests are sent with, as the environment says."""

import os

from valueplatform.core.outbound import Outbound
from valueplatform.core.settings import Settings
from valueplatform.core.smtp import smtp_settings
from valueplatform.stewardship.digests.sending import Means


def means_of(settings: Settings) -> Means:
    """Raises InstallationError for a mail server that cannot be."""
    return Means(settings.public_url, smtp_settings(os.environ), Outbound(settings.private_webhooks))
