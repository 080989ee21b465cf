"""Which proxy a request goes through: the one that the environment names, and none on this machine."""

import ipaddress
import urllib.request

import httpx


def proxy_for(url: httpx.URL) -> str | None:
    """Return the proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY name for `url`; None for loopback and NO_PROXY."""
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or is_loopback(url.host) or urllib.request.proxy_bypass(url.netloc.decode()):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def is_loopback(host: str) -> bool:
    """Tell whether `host` is this machine, by its address or as `localhost`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def without_password(proxy: str) -> str:
    """Return a proxy's address as it may be shown."""
    scheme, _, rest = proxy.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
