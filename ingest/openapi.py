def add_device_door(result, generator, request, public):  # type: ignore
    return result
