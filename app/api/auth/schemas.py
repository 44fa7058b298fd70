"""Requests and answers of signing in and registering."""

from marshmallow import fields

from app.api.fields import Answer, Body, Id, Moment, Text, Whole


class WeChatLoginBody(Body):
    """The code that ``wx.login`` gave."""

    code = Text(longest=200, required=True)


class StaffLoginBody(Body):
    """A staff name and its password."""

    username = Text(longest=100, required=True)
    password = Text(longest=200, required=True, load_only=True)


class RegisterBody(Body):
    """A person as they write themselves."""

    name = Text(longest=50, required=True)
    id_number = Text(longest=40, required=True, load_only=True)
    phone = Text(longest=40, required=True, load_only=True)
    township_code = Text(longest=20, required=True)
    village = Text(
        longest=80, load_default=None, allow_none=True, metadata={"description": "村社，须属于该镇街；可不填"}
    )


class TokenAnswer(Answer):
    """A bearer token and how many seconds it lasts."""

    access_token = fields.String(required=True)
    expires_in = Whole(required=True)


class WeChatTokenAnswer(TokenAnswer):
    """A token, and whether the login has a person yet."""

    registered = fields.Boolean(required=True)


class RegisteredAnswer(TokenAnswer):
    """The person, and a token for the phone to go on with."""

    person_id = Id(required=True)
    issued_at = Moment(required=True, metadata={"description": "令牌签发时间"})
