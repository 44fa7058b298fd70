"""The desk: pages of the townships, the district and its auditors."""
