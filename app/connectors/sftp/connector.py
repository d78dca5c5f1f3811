"""A folder on an SFTP server: many banks put their files there, or take a customer's server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.aggregators.contract import Access, AggregatorError, Health
from app.connectors import inbox
from app.connectors.contract import OperatorSettings, Setting, SettingsRefused, WaitingFile
from app.connectors.sftp.target import SftpTarget, TargetRefused
from app.kernel.bank import ConnectionStatus
from app.kernel.outbound import NoAnswer


class SftpConnector:
    """Brings the bank files of a folder on an SFTP server."""

    name = "sftp"
    title = "SFTP folder"
    summary = "Fetches bank files from a folder on the bank's or your own SFTP server."
    settings: tuple[Setting, ...] = (
        Setting("host", "Server", "Its name, such as sftp.bank.com."),
        Setting("port", "Port", "22 unless the bank says otherwise.", optional=True),
        Setting("user", "User", "As the bank gave it to you."),
        Setting(
            "directory",
            "Folder",
            "Its path on the server, such as /outgoing; empty for the one you begin in. Taken "
            "files are moved to the folder “processed” in it, refused ones to “failed”.",
            optional=True,
        ),
        Setting(
            "host_key",
            "Host key fingerprint",
            "By which the server proves to be the bank's: SHA256: and 43 characters.",
        ),
        Setting("password", "Password", "Or a private key below.", secret=True, optional=True),
        Setting(
            "private_key",
            "Private key",
            "The whole file, from BEGIN to END, without a passphrase.",
            secret=True,
            optional=True,
            multiline=True,
        ),
    )

    def __init__(self, operator: OperatorSettings) -> None:
        self._rules = operator.outbound

    def connect(self, settings: Mapping[str, str], organization_id: str) -> Access:  # noqa: ARG002 - the server knows whose files are whose
        from app.connectors.sftp.session import open_folder, parse_private_key  # noqa: PLC0415 - slow

        target = SftpTarget.from_settings(settings)
        if target.private_key:
            try:
                parse_private_key(target.private_key)
            except ValueError as error:
                raise SettingsRefused({"private_key": str(error)}) from None
        try:
            with open_folder(target, self._rules) as folder:
                folder.create()
        except TargetRefused as refused:
            raise SettingsRefused({refused.setting: refused.sentence}) from None
        except NoAnswer as error:
            raise _unreachable(error) from None
        except OSError:
            raise SettingsRefused(
                {
                    "directory": f"“{target.user}” may not make the folders “{inbox.PROCESSED}” "
                    f"and “{inbox.FAILED}” there and move files into them."
                }
            ) from None
        return Access(target.external_id, target.to_secrets())

    def remove(self, access: Access) -> None:  # noqa: ARG002 - there is nothing to call
        """Say that only the bank can close the user.

        Raises:
            AggregatorError: Always.
        """
        raise AggregatorError(
            "NOT_OURS_TO_END",
            "The user still exists on the SFTP server; have it closed if nobody else needs it.",
            permanent=True,
        )

    def waiting_files(self, access: Access) -> Iterator[WaitingFile]:
        from app.connectors.sftp.session import open_folder  # noqa: PLC0415 - slow

        target = SftpTarget.from_settings(access.secrets)
        try:
            with open_folder(target, self._rules) as folder:
                yield from inbox.waiting_files(folder)
        except TargetRefused as refused:
            raise AggregatorError(
                refused.code,
                refused.sentence,
                permanent=True,
                health=Health(refused.status, refused.code),
            ) from None
        except NoAnswer as error:
            raise _unreachable(error) from None


def _unreachable(error: NoAnswer) -> AggregatorError:
    return AggregatorError(
        "SFTP_UNREACHABLE",
        str(error),
        permanent=False,
        health=Health(ConnectionStatus.DEGRADED, "SFTP_UNREACHABLE"),
    )
