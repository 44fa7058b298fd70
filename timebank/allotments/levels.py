"""Which level counts for a month: the one that stood when it began."""

from __future__ import annotations

# An elder file without an assessment (from an office's roster) counts as it stands. Of those assessed, the last one
# before the month counts; of those assessed only since, what had stood in the file before.
LEVELS_AT = """
SELECT f.person_id, p.township_code,
       CASE WHEN b.person_id IS NOT NULL THEN b.level WHEN a.person_id IS NOT NULL THEN a.previous_level
            ELSE f.assessment_level END AS level
FROM elder_file f
JOIN person p ON p.id = f.person_id
LEFT JOIN LATERAL (SELECT person_id, level FROM elder_assessment
                   WHERE person_id = f.person_id AND assessed_at < :begins
                   ORDER BY assessed_at DESC, id DESC LIMIT 1) b ON true
LEFT JOIN LATERAL (SELECT person_id, previous_level FROM elder_assessment
                   WHERE person_id = f.person_id AND assessed_at >= :begins
                   ORDER BY assessed_at, id LIMIT 1) a ON true
WHERE p.left_at IS NULL AND p.death_reported_at IS NULL
"""
