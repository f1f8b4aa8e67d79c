"""Addresses of signing in and out, and of the own account."""

from django.urls import path

from tenants.console.accounts import access, factors, profile, views, welcome

app_name = "accounts"
urlpatterns = [
    path("sign-in/", views.SignIn.as_view(), name="sign_in"),
    path("sign-in/code/", views.second_factor, name="second_factor"),
    path("sign-out/", views.SignOut.as_view(), name="sign_out"),
    path("welcome/", welcome.choose_password, name="choose_password"),
    path("welcome/<str:secret>/", welcome.open_link, name="welcome"),
    path("forgotten-password/", welcome.forgotten_password, name="forgotten_password"),
    path("profile/", profile.profile, name="profile"),
    path("profile/details/", profile.details, name="details"),
    path("profile/password/", profile.password, name="password"),
    path("profile/second-factor/", factors.set_up, name="set_up_second_factor"),
    path("profile/second-factor/off/", factors.switch_off, name="switch_off_second_factor"),
    path("profile/recovery-codes/", factors.recovery_codes, name="recovery_codes"),
    path("profile/sessions/end/", access.end_others, name="end_other_sessions"),
    path("profile/sessions/<str:session_id>/end/", access.end, name="end_session"),
    path("profile/tokens/new/", access.new_token, name="new_token"),
    path("profile/tokens/<int:token_pk>/revoke/", access.revoke, name="revoke_token"),
]
