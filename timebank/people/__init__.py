"""人员: people, their elder files, proxies and logins."""
