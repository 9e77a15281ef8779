//! Why a request isn't answered: one code a defect, and the field where there is one.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

/// Why a request isn't answered.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Problem {
    /// `json`, `field`, `media-type`, `body-too-large`, `body-too-slow`, `unauthorized`, `rate-limited`, `not-found`,
    /// `method`.
    pub(super) code: &'static str,
    /// The field that is wrong, as a path: `items[3].sms.text`. Empty where no field is.
    pub(super) field: String,
    /// What is wrong, in English.
    pub(super) message: String,
    /// What is wrong, in Chinese.
    pub(super) message_zh: String,
    #[serde(skip)]
    #[schemars(skip)]
    status: StatusCode,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, message: &str, message_zh: &str) -> Self {
        Self {
            code,
            field: String::new(),
            message: message.to_owned(),
            message_zh: message_zh.to_owned(),
            status,
        }
    }

    /// A field that is wrong.
    pub(super) fn field(field: &str, message: &str) -> Self {
        let zh = format!("字段有误：{message}");
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "field", message, &zh);
        Self { field: field.to_owned(), ..problem }
    }

    /// The body isn't JSON.
    pub(super) fn json(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "json", message, &format!("不是有效的 JSON：{message}"))
    }

    /// The body isn't said to be JSON.
    pub(super) fn media_type() -> Self {
        let zh = "请求体须为 application/json";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "the body must be application/json", zh)
    }

    /// The body is longer than is taken.
    pub(super) fn too_large() -> Self {
        let zh = "请求体过大";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "the body is too large", zh)
    }

    /// The body took too long.
    pub(super) fn too_slow() -> Self {
        let zh = "请求体传输超时";
        Self::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", "the body took too long", zh)
    }

    /// Nobody that is known.
    pub(super) fn unauthorized() -> Self {
        let message = "a valid bearer token is needed";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message, "需要有效的令牌")
    }

    /// More than the rate.
    pub(super) fn rate_limited() -> Self {
        let message = "more decisions a second than this token may ask for";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited", message, "超过该令牌的速率限制")
    }

    /// Nothing there.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "there is nothing of that name", "没有该资源")
    }

    /// Another method is needed.
    pub(super) fn method() -> Self {
        let message = "this method isn't taken here";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method", message, "不支持该方法")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
