"""Operations on workbooks that offices hand in at a desk."""
