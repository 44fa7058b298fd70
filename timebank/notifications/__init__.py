"""通知发件箱: messages written with the deed they tell of, and sent afterwards by a job."""
