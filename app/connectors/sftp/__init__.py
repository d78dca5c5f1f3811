"""A folder on an SFTP server."""
