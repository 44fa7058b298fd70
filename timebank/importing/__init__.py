"""导入 Importing: office workbooks in, refused rows back out."""
