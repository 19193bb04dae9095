class DeviceDoor:
    def __init__(self, otherwise: object) -> None:
        self.otherwise = otherwise
